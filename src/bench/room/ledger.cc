// SPDX-License-Identifier: Apache-2.0
#include "bench/room/ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "base/strings.h"
#include "sys/cgroup/cgroup.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

constexpr std::string_view kSuffix = ".ledger";
constexpr std::string_view kFolderWord = "folder ", kCgroupWord = "cgroup ";
// Only what bears this name is ever taken away, whatever a ledger says.
constexpr std::string_view kMark = "kiste-bench-";

std::string Text(const Belongings& belongings) {
  return StrCat(kFolderWord, belongings.folder, "\n", kCgroupWord, belongings.cgroup, "\n");
}

bool IsOurs(std::string_view path) {
  size_t slash = path.rfind('/');
  return path.starts_with('/') && path.substr(slash + 1).starts_with(kMark) &&
         path.find("/../") == std::string_view::npos;
}

Result<Belongings> Parse(std::string_view text, const std::string& path) {
  Belongings belongings;
  for (auto line : Split(text, '\n')) {
    if (line.starts_with(kFolderWord)) belongings.folder = line.substr(kFolderWord.size());
    if (line.starts_with(kCgroupWord)) belongings.cgroup = line.substr(kCgroupWord.size());
  }
  for (const auto* named : {&belongings.folder, &belongings.cgroup}) {
    if (!named->empty() && !IsOurs(*named)) {
      return Invalid(StrCat(path, ": expected a path whose last part begins with ", kMark,
                            ", found ", Quote(*named)));
    }
  }
  return belongings;
}

Status RemoveCgroup(const std::string& path) {
  auto layout = TRY(sys::cgroup::Detect());
  if (layout.hierarchies.empty()) return {};
  auto cgroup = TRY(sys::cgroup::Cgroup::Plan(layout, path));
  TRY(cgroup.KillAll(SIGKILL));
  return cgroup.Remove();
}

Status RemoveFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  if (!error) return {};
  return SystemError(error.value(), StrCat("unlink ", folder));
}

Result<Cleaned> CleanOne(const std::string& folder, const std::string& name) {
  auto path = StrCat(folder, "/", name);
  Cleaned cleaned{name.substr(0, name.size() - kSuffix.size()), false};
  auto file = TRY(sys::Open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!sys::LockExclusive(file.get(), path, Deadline::In(std::chrono::milliseconds(0)))) {
    cleaned.alive = true;
    return cleaned;
  }
  auto text = TRY(sys::ReadAll(file.get(), path, 1 << 16));
  auto belongings = TRY(Parse(text, path));
  TRY_CONTEXT(TakeAway(belongings), path);
  TRY(sys::UnlinkAt(AT_FDCWD, path));
  return cleaned;
}

}  // namespace

Status TakeAway(const Belongings& belongings) {
  if (!belongings.cgroup.empty()) TRY(RemoveCgroup(belongings.cgroup));
  if (!belongings.folder.empty()) TRY(RemoveFolder(belongings.folder));
  return {};
}

Result<Ledger> Ledger::Write(const std::string& run, const Belongings& belongings) {
  TRY(sys::MakeDirectories(kLedgerFolder, 0700));
  Ledger ledger;
  ledger.path_ = StrCat(kLedgerFolder, "/", run, kSuffix);
  ledger.belongings_ = belongings;
  auto file = sys::Open(ledger.path_, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (!file && file.error().errno_value == EEXIST) {
    return Fail(ErrorKind::kExists,
                StrCat(ledger.path_,
                       ": expected none; that run lives, or `kiste-bench clean` has "
                       "something to take away"));
  }
  ledger.file_ = TRY(std::move(file));
  TRY(sys::LockExclusive(ledger.file_.get(), ledger.path_));
  TRY(sys::WriteAll(ledger.file_.get(), Text(belongings), ledger.path_));
  return ledger;
}

Status Ledger::Settle() {
  TRY(TakeAway(belongings_));
  TRY(sys::UnlinkAt(AT_FDCWD, path_));
  file_.Reset();
  return {};
}

Result<std::vector<Cleaned>> CleanUp(const std::string& folder) {
  std::vector<Cleaned> cleaned;
  auto directory = sys::Open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!directory && directory.error().errno_value == ENOENT) return cleaned;
  auto opened = TRY(std::move(directory));
  for (const auto& name : TRY(sys::ListDirectory(opened.get(), folder))) {
    if (name.ends_with(kSuffix)) cleaned.push_back(TRY(CleanOne(folder, name)));
  }
  return cleaned;
}

}  // namespace kiste::bench
