// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/parse.h"

#include "base/strings.h"

namespace kiste::sys::cgroup {

namespace {

struct DeviceNumber {
  uint64_t major, minor;
};

std::optional<DeviceNumber> ParseDevice(std::string_view text) {
  size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto major = ParseUint(text.substr(0, colon));
  auto minor = ParseUint(text.substr(colon + 1));
  if (!major || !minor) return std::nullopt;
  return DeviceNumber{*major, *minor};
}

double ParseShare(std::string_view text) { return ParseReal(text).value_or(0); }

}  // namespace

std::vector<std::vector<std::string_view>> ParseLines(std::string_view text) {
  std::vector<std::vector<std::string_view>> lines;
  for (auto line : Split(text, '\n')) {
    std::vector<std::string_view> words;
    for (auto word : Split(line, ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    if (!words.empty()) lines.push_back(std::move(words));
  }
  return lines;
}

std::map<std::string, uint64_t> ParseFlat(std::string_view text) {
  std::map<std::string, uint64_t> values;
  for (const auto& words : ParseLines(text)) {
    if (words.size() != 2) continue;
    if (auto value = ParseUint(words[1])) values[std::string(words[0])] = *value;
  }
  return values;
}

Pressure ParsePressure(std::string_view text) {
  Pressure pressure;
  for (const auto& words : ParseLines(text)) {
    Pressure::Line& line = words[0] == "full" ? pressure.full : pressure.some;
    for (auto word : words) {
      size_t equals = word.find('=');
      if (equals == std::string_view::npos) continue;
      auto key = word.substr(0, equals), value = word.substr(equals + 1);
      if (key == "avg10") line.avg10 = ParseShare(value);
      if (key == "avg60") line.avg60 = ParseShare(value);
      if (key == "avg300") line.avg300 = ParseShare(value);
      if (key == "total") line.total = ParseUint(value).value_or(0);
    }
  }
  return pressure;
}

std::vector<BlockIoEntry> ParseBlockIo(std::string_view text) {
  std::vector<BlockIoEntry> entries;
  for (const auto& words : ParseLines(text)) {
    auto device = ParseDevice(words[0]);
    auto value = ParseUint(words.back());
    if (!device || !value || words.size() < 2) continue;
    std::string op(words.size() > 2 ? words[1] : std::string_view());
    entries.push_back({device->major, device->minor, std::move(op), *value});
  }
  return entries;
}

void ParseIoStat(std::string_view text, BlockIoStats& stats) {
  static constexpr struct {
    std::string_view key, op;
    std::vector<BlockIoEntry> BlockIoStats::* list;
  } kKeys[] = {
      {"rbytes", "Read", &BlockIoStats::service_bytes},
      {"rios", "Read", &BlockIoStats::serviced},
      {"wbytes", "Write", &BlockIoStats::service_bytes},
      {"wios", "Write", &BlockIoStats::serviced},
      {"dbytes", "Discard", &BlockIoStats::service_bytes},
      {"dios", "Discard", &BlockIoStats::serviced},
  };
  for (const auto& words : ParseLines(text)) {
    auto device = ParseDevice(words[0]);
    if (!device) continue;
    for (auto word : words) {
      size_t equals = word.find('=');
      if (equals == std::string_view::npos) continue;
      auto value = ParseUint(word.substr(equals + 1));
      for (const auto& [key, op, list] : kKeys) {
        if (key != word.substr(0, equals) || !value) continue;
        (stats.*list).push_back({device->major, device->minor, std::string(op), *value});
      }
    }
  }
}

Result<std::string> ReadIfThere(const Directory& directory, std::string_view file) {
  auto text = directory.Read(file);
  if (text) return text;
  // EOPNOTSUPP: pressure is compiled in but switched off; ENODEV: the cgroup is being removed.
  int failure = text.error().errno_value;
  if (failure == ENOENT || failure == EOPNOTSUPP || failure == ENODEV) return std::string();
  return text;
}

Status ReadNumberIfThere(const Directory& directory, std::string_view file, uint64_t& to) {
  auto number = directory.ReadNumber(file);
  if (number) {
    to = *number;
  } else if (!IsMissing(number.error())) {
    return std::unexpected(std::move(number).error());
  }
  return {};
}

}  // namespace kiste::sys::cgroup
