// SPDX-License-Identifier: Apache-2.0
#include "sys/file.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <memory>
#include <thread>

#include "base/strings.h"
#include "sys/readable.h"

namespace kiste::sys {

Result<Fd> OpenAt(int directory, const std::string& path, int flags, mode_t mode) {
  int fd = openat(directory, path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return ErrnoError(StrCat("open ", path));
  return Fd(fd);
}

Result<Fd> Open(const std::string& path, int flags, mode_t mode) {
  return OpenAt(AT_FDCWD, path, flags, mode);
}

Result<std::string> ReadAll(int fd, const std::string& name, size_t limit, Deadline deadline) {
  std::string text;
  char buffer[16384];
  while (true) {
    if (!deadline.never() && !TRY_CONTEXT(WaitReadable(fd, deadline), name))
      return Fail(ErrorKind::kTimeout, StrCat("read ", name, ": its end did not come in time"));
    ssize_t size = read(fd, buffer, sizeof buffer);
    if (size < 0 && (errno == EINTR || (errno == EAGAIN && !deadline.never()))) continue;
    if (size < 0) return ErrnoError(StrCat("read ", name));
    if (size == 0) return text;
    text.append(buffer, static_cast<size_t>(size));
    if (text.size() > limit) return Invalid(StrCat(name, ": larger than ", limit, " bytes"));
  }
}

Result<std::string> ReadFileAt(int directory, const std::string& path, size_t limit) {
  Fd file = TRY(OpenAt(directory, path, O_RDONLY));
  return ReadAll(file.get(), path, limit);
}

Result<std::string> ReadRegularFile(const std::string& path, size_t limit) {
  Fd file = TRY(Open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (fstat(file.get(), &status) < 0) return ErrnoError(StrCat("stat ", path));
  if (!S_ISREG(status.st_mode)) return Invalid(StrCat(path, ": expected a regular file"));
  return ReadAll(file.get(), path, limit);
}

Result<std::string> ReadFileWithin(const std::string& path, size_t limit, Deadline deadline) {
  // Of whatever kind: a socket could not be opened again by that name.
  if (path == "/dev/stdin") return ReadAll(0, path, limit, deadline);
  Fd file = TRY(Open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  auto status = TRY(StatAt(file.get(), "", AT_EMPTY_PATH));
  if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
    return Invalid(StrCat(path, ": expected a regular file or a pipe"));
  return ReadAll(file.get(), path, limit, deadline);
}

Status WriteAll(int fd, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError(StrCat("write ", name));
    text.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Status WriteExisting(const std::string& path, std::string_view text) {
  Fd file = TRY(Open(path, O_WRONLY));
  return WriteAll(file.get(), text, path);
}

namespace {

// A file that nobody else has: what stands there under its name, be it a FIFO, goes first.
Result<Fd> OpenNew(int directory, const std::string& name, mode_t mode) {
  constexpr int kMostTries = 16;
  for (int i = 1;; ++i) {
    auto file = OpenAt(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    if (file || file.error().errno_value != EEXIST || i == kMostTries) return file;
    unlinkat(directory, name.c_str(), 0);
  }
}

}  // namespace

Status ReplaceFileAt(int directory, const std::string& name, std::string_view text, mode_t mode) {
  std::string temporary = StrCat(".", name, ".", getpid());
  Fd file = TRY(OpenNew(directory, temporary, mode));
  if (auto written = WriteAll(file.get(), text, temporary); !written) {
    unlinkat(directory, temporary.c_str(), 0);
    return written;
  }
  if (renameat(directory, temporary.c_str(), directory, name.c_str()) < 0) {
    auto error = ErrnoError(StrCat("rename ", temporary, " to ", name));
    unlinkat(directory, temporary.c_str(), 0);
    return error;
  }
  return {};
}

Status MakeDirectoryAt(int directory, const std::string& path, mode_t mode) {
  if (mkdirat(directory, path.c_str(), mode) < 0) return ErrnoError(StrCat("mkdir ", path));
  return {};
}

Status MakeDirectories(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  size_t slash = path.find_last_of('/');
  if (errno != ENOENT || slash == 0 || slash == std::string::npos) {
    return ErrnoError(StrCat("mkdir ", path));
  }
  TRY(MakeDirectories(path.substr(0, slash), mode));
  if (mkdir(path.c_str(), mode) < 0 && errno != EEXIST) return ErrnoError(StrCat("mkdir ", path));
  return {};
}

Status ChangeMode(int fd, mode_t mode, std::string_view path) {
  if (fchmod(fd, mode) < 0) return ErrnoError(StrCat("chmod ", path));
  return {};
}

Status GiveToGroup(int fd, gid_t group, mode_t mode, std::string_view path) {
  if (fchown(fd, static_cast<uid_t>(-1), group) < 0) return ErrnoError(StrCat("chown ", path));
  return ChangeMode(fd, mode, path);
}

Status MakeLink(const std::string& target, const std::string& path) {
  if (symlink(target.c_str(), path.c_str()) == 0 || errno == EEXIST) return {};
  return ErrnoError(StrCat("symlink ", path));
}

Status UnlinkAt(int directory, const std::string& path, int flags) {
  if (unlinkat(directory, path.c_str(), flags) < 0) return ErrnoError(StrCat("unlink ", path));
  return {};
}

Status RemoveAt(int directory, const std::string& path, int flags) {
  auto removed = UnlinkAt(directory, path, flags);
  if (!removed && removed.error().errno_value == ENOENT) return {};
  return removed;
}

Result<struct stat> StatAt(int directory, const std::string& path, int flags) {
  struct stat status{};
  if (fstatat(directory, path.c_str(), &status, flags) < 0)
    return ErrnoError(StrCat("stat ", path));
  return status;
}

bool Exists(int directory, const std::string& path) {
  return faccessat(directory, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<std::string> ReadLink(const std::string& path) {
  char target[PATH_MAX];
  ssize_t size = readlink(path.c_str(), target, sizeof target);
  if (size < 0) return ErrnoError(StrCat("readlink ", path));
  return std::string(target, static_cast<size_t>(size));
}

Result<std::vector<std::string>> ListDirectory(int directory, const std::string& name) {
  Fd copy(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::unique_ptr<DIR, int (*)(DIR*)> stream(copy ? fdopendir(copy.get()) : nullptr, closedir);
  if (stream == nullptr) return ErrnoError(StrCat("open ", name));
  static_cast<void>(copy.Release());  // the stream owns it now
  std::vector<std::string> names;
  while (dirent* entry = readdir(stream.get())) {
    std::string_view entry_name = entry->d_name;
    if (entry_name != "." && entry_name != "..") names.emplace_back(entry_name);
  }
  return names;
}

Status LockExclusive(int fd, const std::string& name, Deadline deadline) {
  // Asked again and again: flock(2) itself knows no limit.
  constexpr std::chrono::microseconds kLongest(10'000);
  std::chrono::microseconds pause(100);
  while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return ErrnoError(StrCat("flock ", name));
    if (deadline.Over()) {
      return Fail(ErrorKind::kTimeout, StrCat("lock ", name, ": another command holds it"));
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongest);
  }
  return {};
}

void Unlock(int fd) { flock(fd, LOCK_UN); }

Result<std::string> RealPath(const std::string& path) {
  Fd place(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!place) return ErrnoError(StrCat("realpath ", path));
  return ReadLink(StrCat("/proc/self/fd/", place.get()));
}

std::string CleanPath(std::string_view path) {
  bool absolute = path.starts_with('/');
  std::vector<std::string_view> kept;
  for (auto piece : Split(path, '/')) {
    if (piece.empty() || piece == ".") continue;
    if (piece != "..") {
      kept.push_back(piece);
    } else if (!kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (!absolute) {
      kept.push_back(piece);
    }
  }
  std::string clean = absolute ? "/" : "";
  for (size_t i = 0; i < kept.size(); ++i) {
    if (i != 0) clean += '/';
    clean += kept[i];
  }
  return clean.empty() ? "." : clean;
}

Result<std::string> CurrentDirectory() {
  char path[PATH_MAX];
  if (getcwd(path, sizeof path) == nullptr) return ErrnoError("getcwd");
  return std::string(path);
}

}  // namespace kiste::sys
