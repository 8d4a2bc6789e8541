// SPDX-License-Identifier: Apache-2.0
#include "sys/resctrl.h"

#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/mountinfo.h"

namespace kiste::sys {

namespace {

constexpr char kUsualPlace[] = "/sys/fs/resctrl";

std::string_view WithoutZeros(std::string_view number) {
  number = Trim(number);
  while (number.size() > 1 && number[0] == '0') number.remove_prefix(1);
  return number;
}

// "L3:0=7f0;1=1f" as its resource and its pairs.
struct Schema {
  std::string_view resource;
  std::vector<std::pair<std::string_view, std::string_view>> domains;
};

Schema ParseSchema(std::string_view line) {
  Schema schema;
  size_t colon = std::min(line.find(':'), line.size());
  schema.resource = Trim(line.substr(0, colon));
  line.remove_prefix(std::min(colon + 1, line.size()));
  for (auto pair : Split(line, ';')) {
    size_t equals = std::min(pair.find('='), pair.size());
    auto value = pair.substr(std::min(equals + 1, pair.size()));
    if (equals > 0) schema.domains.emplace_back(Trim(pair.substr(0, equals)), WithoutZeros(value));
  }
  return schema;
}

bool SameLetters(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool Covers(const Schema& there, const Schema& wanted) {
  if (there.resource != wanted.resource) return false;
  return std::ranges::all_of(wanted.domains, [&](const auto& pair) {
    return std::ranges::any_of(there.domains, [&](const auto& other) {
      return other.first == pair.first && SameLetters(other.second, pair.second);
    });
  });
}

}  // namespace

// Puts the kernel's words behind a failure.
template <typename T>
Result<T> Resctrl::WithStatus(Result<T>&& result) const {
  if (result) return std::move(result);
  auto status = ReadFileAt(AT_FDCWD, StrCat(root_, "/info/last_cmd_status"), 4096);
  auto words = status ? Trim(*status) : std::string_view();
  if (!words.empty() && words != "ok") result.error().detail = words;
  return std::move(result);
}

Result<Resctrl> Resctrl::Find() {
  struct statfs status{};
  bool usual = statfs(kUsualPlace, &status) == 0 && status.f_type == RDTGROUP_SUPER_MAGIC;
  if (usual) return Resctrl(kUsualPlace);
  for (auto& mount : TRY(MountsOf(getpid()))) {
    if (mount.type == "resctrl") return Resctrl(std::move(mount.point));
  }
  return Fail(ErrorKind::kUnsupported, "no resctrl file system is mounted on this host");
}

bool Resctrl::Has(std::string_view resource) const {
  return Exists(AT_FDCWD, StrCat(root_, "/info/", resource));
}

std::string Resctrl::Info(std::string_view file) const {
  auto text = ReadFileAt(AT_FDCWD, StrCat(root_, "/info/", file));
  return text ? std::string(Trim(*text)) : "";
}

Result<bool> Resctrl::MakeGroup(const std::string& path) const {
  auto made = MakeDirectoryAt(AT_FDCWD, path, 0755);
  if (made) return true;
  if (made.error().errno_value == EEXIST) return false;
  return WithStatus(Result<bool>(std::unexpected(std::move(made).error())));
}

Status Resctrl::WriteSchemata(const std::string& group,
                              const std::vector<std::string>& lines) const {
  return WithStatus(WriteExisting(StrCat(group, "/schemata"), StrCat(Join(lines, "\n"), "\n")));
}

Result<std::string> Resctrl::ReadSchemata(const std::string& group) const {
  return ReadFileAt(AT_FDCWD, StrCat(group, "/schemata"));
}

Result<std::vector<ResctrlCounters>> Resctrl::ReadCounters(const std::string& group) const {
  std::string folder = StrCat(group, "/mon_data");
  Fd directory = TRY(Open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  auto domains = TRY(ListDirectory(directory.get(), folder));
  std::ranges::sort(domains);
  std::vector<ResctrlCounters> counters;
  for (const auto& domain : domains) {
    // Where the hardware has no number now, the kernel says so in words.
    auto read = [&](std::string_view file) -> std::optional<uint64_t> {
      auto text = ReadFileAt(directory.get(), StrCat(domain, "/", file));
      return text ? ParseUint(Trim(*text)) : std::nullopt;
    };
    counters.push_back({read("mbm_total_bytes"), read("mbm_local_bytes"), read("llc_occupancy")});
  }
  return counters;
}

Status Resctrl::AddTask(const std::string& group, pid_t pid) const {
  return WithStatus(WriteExisting(StrCat(group, "/tasks"), StrCat(pid)));
}

Status Resctrl::RemoveGroup(const std::string& group) const {
  return WithStatus(RemoveAt(AT_FDCWD, group, AT_REMOVEDIR));
}

std::string_view SchemataLine(std::string_view schemata, std::string_view resource) {
  for (auto line : Split(schemata, '\n')) {
    if (ParseSchema(line).resource == resource) return Trim(line);
  }
  return {};
}

bool SchemataHave(std::string_view schemata, std::string_view line) {
  Schema wanted = ParseSchema(line);
  return std::ranges::any_of(Split(schemata, '\n'), [&](std::string_view there) {
    return Covers(ParseSchema(there), wanted);
  });
}

}  // namespace kiste::sys
