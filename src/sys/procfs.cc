// SPDX-License-Identifier: Apache-2.0
#include "sys/procfs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::sys {

Result<Fd> OpenProc() {
  Fd proc = TRY(Open("/proc", O_PATH | O_DIRECTORY));
  struct statfs status{};
  if (fstatfs(proc.get(), &status) < 0) return ErrnoError("statfs /proc");
  if (status.f_type != PROC_SUPER_MAGIC) {
    return Fail(ErrorKind::kUnsupported,
                "/proc: expected a procfs mount, found another file system");
  }
  return proc;
}

Result<ProcessStat> StatProcess(pid_t pid) {
  std::string path = StrCat("/proc/", pid, "/stat");
  return ParseProcessStat(TRY(ReadFileAt(AT_FDCWD, path, 4096)), path);
}

Result<ProcessStat> ParseProcessStat(std::string_view text, const std::string& path) {
  // The second field is the command in parentheses and may hold anything, ')' too.
  size_t end = text.rfind(')');
  auto fields =
      end == std::string::npos ? std::vector<std::string_view>() : Split(text.substr(end + 1), ' ');
  constexpr size_t kState = 1, kStartTime = 20;  // fields 3 and 22, counted from the parenthesis
  if (fields.size() <= kStartTime || fields[kState].empty()) {
    return Fail(ErrorKind::kUnsupported, StrCat(path, ": not in the form of proc(5)"));
  }
  auto start = ParseUint(fields[kStartTime]);
  if (!start) return Fail(ErrorKind::kUnsupported, StrCat(path, ": start time is no number"));
  return ProcessStat{fields[kState][0], *start};
}

uint64_t IgnoredSignals() {
  constexpr std::string_view kField = "\nSigIgn:\t";
  auto text = ReadFileAt(AT_FDCWD, "/proc/self/status", 16 << 10);
  size_t at = text ? text->find(kField) : std::string::npos;
  if (at == std::string::npos) return ~uint64_t{0};
  auto rest = std::string_view(*text).substr(at + kField.size());
  return ParseUint(rest.substr(0, rest.find('\n')), 16).value_or(~uint64_t{0});
}

Result<uid_t> OwnerOfProcess(pid_t pid) {
  struct stat status = TRY(StatAt(AT_FDCWD, StrCat("/proc/", pid)));
  return status.st_uid;
}

}  // namespace kiste::sys
