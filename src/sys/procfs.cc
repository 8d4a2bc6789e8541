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

Result<uid_t> OwnerOfProcess(pid_t pid) {
  struct stat status = TRY(StatAt(AT_FDCWD, StrCat("/proc/", pid)));
  return status.st_uid;
}

}  // namespace kiste::sys
