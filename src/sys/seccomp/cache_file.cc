// SPDX-License-Identifier: Apache-2.0
#include "sys/seccomp/cache_file.h"

#include <linux/bpf_common.h>

#include <cstddef>
#include <cstring>

#include "base/strings.h"

namespace kiste::sys {

namespace {

constexpr char kMagic[8] = {'k', 's', 'e', 'c', 'c', 'o', 'm', 'p'};

struct Header {
  char magic[8];
  uint64_t checksum;  // SeccompHash of the file with this field 0
  uint32_t key_bytes;
  uint32_t ignored_bytes;
  uint32_t instructions;
  uint32_t flags;
};
static_assert(sizeof(Header) == 32);

// `size:text`, which needs no escapes.
void AppendText(std::string& to, std::string_view text) {
  to += StrCat(text.size());
  to += ':';
  to += text;
}

template <typename T>
void AppendNumber(std::string& to, T number) {
  to += StrCat(number);
  to += ' ';
}

void AppendOptional(std::string& to, std::optional<uint32_t> number) {
  if (number) to += StrCat(*number);
  to += number ? ' ' : '-';
}

void AppendTexts(std::string& to, const std::vector<std::string>& texts) {
  AppendNumber(to, texts.size());
  for (const auto& text : texts) AppendText(to, text);
}

// The checksum as it must stand in the header of `bytes`, which hold at least a header.
uint64_t Checksum(std::string_view bytes) {
  uint64_t parts[2] = {SeccompHash(bytes.substr(0, offsetof(Header, checksum))),
                       SeccompHash(bytes.substr(offsetof(Header, key_bytes)))};
  return SeccompHash({reinterpret_cast<const char*>(parts), sizeof parts});
}

// Reads what AppendText wrote, to the end of `text`.
bool ParseTexts(std::string_view text, std::vector<std::string>& into) {
  while (!text.empty()) {
    size_t colon = text.find(':');
    if (colon == std::string_view::npos) return false;
    auto size = ParseUint(text.substr(0, colon));
    text.remove_prefix(colon + 1);
    if (!size || *size > text.size()) return false;
    into.emplace_back(text.substr(0, *size));
    text.remove_prefix(*size);
  }
  return true;
}

}  // namespace

std::string SeccompKey(const SeccompProfile& profile) {
  std::string key;
  key.reserve(16 << 10);
  key += "kiste seccomp " KISTE_SECCOMP_BUILD "\n";
  AppendText(key, profile.default_action);
  AppendOptional(key, profile.default_errno_ret);
  AppendTexts(key, profile.architectures);
  AppendTexts(key, profile.flags);
  AppendNumber(key, profile.syscalls.size());
  for (const auto& rule : profile.syscalls) {
    key += '\n';
    AppendText(key, rule.action);
    AppendOptional(key, rule.errno_ret);
    AppendTexts(key, rule.names);
    AppendNumber(key, rule.args.size());
    for (const auto& arg : rule.args) {
      AppendNumber(key, arg.index);
      AppendNumber(key, arg.value);
      AppendNumber(key, arg.value_two);
      AppendText(key, arg.op);
    }
  }
  return key;
}

// Multiply and fold, eight bytes at a time.
uint64_t SeccompHash(std::string_view bytes) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;
  uint64_t hash = bytes.size() * kOdd;
  auto mix = [&hash](uint64_t word) {
    hash = (hash ^ word) * kOdd;
    hash ^= hash >> 32;
  };
  while (bytes.size() >= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof word);
    mix(word);
    bytes.remove_prefix(sizeof word);
  }
  uint64_t rest = 0;
  if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
  mix(rest);
  return hash * kOdd ^ hash >> 29;
}

std::string FormatCacheFile(const SeccompProgram& program, std::string_view key) {
  std::string ignored;
  for (const auto& name : program.ignored) AppendText(ignored, name);
  Header header{.checksum = 0,
                .key_bytes = static_cast<uint32_t>(key.size()),
                .ignored_bytes = static_cast<uint32_t>(ignored.size()),
                .instructions = static_cast<uint32_t>(program.filter.size()),
                .flags = program.flags};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += key;
  bytes += ignored;
  bytes.append(reinterpret_cast<const char*>(program.filter.data()),
               program.filter.size() * sizeof(sock_filter));
  SealCacheFile(bytes);
  return bytes;
}

std::optional<SeccompProgram> ParseCacheFile(std::string_view bytes, std::string_view key) {
  Header header;
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) return std::nullopt;
  if (header.instructions == 0 || header.instructions > BPF_MAXINSNS) return std::nullopt;
  uint64_t filter_bytes = header.instructions * sizeof(sock_filter);
  if (bytes.size() !=
      sizeof header + uint64_t{header.key_bytes} + header.ignored_bytes + filter_bytes) {
    return std::nullopt;
  }
  if (bytes.substr(sizeof header, header.key_bytes) != key) return std::nullopt;
  if (header.checksum != Checksum(bytes)) return std::nullopt;

  SeccompProgram program;
  auto rest = bytes.substr(sizeof header + header.key_bytes);
  if (!ParseTexts(rest.substr(0, header.ignored_bytes), program.ignored)) return std::nullopt;
  program.flags = header.flags;
  program.filter.resize(header.instructions);
  std::memcpy(program.filter.data(), rest.data() + header.ignored_bytes, filter_bytes);
  return program;
}

// The ignored names are some of the key's, in the same form.
size_t MaxCacheFileBytes(std::string_view key) {
  return sizeof(Header) + 2 * key.size() + BPF_MAXINSNS * sizeof(sock_filter);
}

void SealCacheFile(std::string& bytes) {
  if (bytes.size() < sizeof(Header)) return;
  uint64_t checksum = Checksum(bytes);
  std::memcpy(bytes.data() + offsetof(Header, checksum), &checksum, sizeof checksum);
}

}  // namespace kiste::sys
