// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/directory.h"

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/strings.h"

namespace kiste::sys::cgroup {

namespace {

std::string FilePath(const Directory& directory, std::string_view file) {
  return file.empty() ? directory.path : StrCat(directory.path, "/", file);
}

// The value as an error shows it: in quotes only where it needs them.
std::string Shown(std::string_view value) {
  bool plain = !value.empty() && value.size() <= 200 &&
               std::ranges::all_of(value, [](char c) { return c >= ' ' && c != '"'; });
  return plain ? std::string(value) : Quote(value);
}

Status WriteOnce(const Fd& fd, std::string_view value, std::string_view path) {
  ssize_t written;
  do {
    written = write(fd.get(), value.data(), value.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) return ErrnoError(StrCat("write ", Shown(value), " to ", path));
  if (static_cast<size_t>(written) != value.size()) {
    return SystemError(EIO, StrCat("write ", Shown(value), " to ", path));
  }
  return {};
}

}  // namespace

bool Directory::Has(std::string_view controller) const {
  return std::ranges::find(controllers, controller) != controllers.end();
}

Result<Fd> Directory::Open(std::string_view file, int flags) const {
  std::string full = FilePath(*this, file);
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_NO_SYMLINKS;
  long fd;
  do {
    fd = syscall(SYS_openat2, AT_FDCWD, full.c_str(), &how, sizeof how);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return ErrnoError("open " + full);
  return Fd(static_cast<int>(fd));
}

Result<std::string> Directory::Read(std::string_view file) const {
  Fd fd = TRY(Open(file, O_RDONLY));
  std::string text;
  char block[4096];
  while (true) {
    ssize_t got = read(fd.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError("read " + FilePath(*this, file));
    if (got == 0) return text;
    text.append(block, static_cast<size_t>(got));
  }
}

Result<uint64_t> Directory::ReadNumber(std::string_view file) const {
  std::string text = TRY(Read(file));
  std::string_view number = Trim(text);
  if (number == "max") return UINT64_MAX;
  if (auto value = ParseUint(number)) return *value;
  return Fail(ErrorKind::kSystem,
              StrCat(FilePath(*this, file), ": expected a number, found ", Quote(number)));
}

Status Directory::Write(std::string_view file, std::string_view value) const {
  auto fd = Open(file, O_WRONLY);
  if (!fd) {
    // The text names the value even if the file did not open.
    fd.error().operation = StrCat("write ", Shown(value), " to ", FilePath(*this, file));
    return std::unexpected(std::move(fd).error());
  }
  return WriteOnce(*fd, value, FilePath(*this, file));
}

Status Directory::WriteEach(std::string_view file, const std::vector<std::string>& values) const {
  if (values.empty()) return {};
  Fd fd = TRY(Open(file, O_WRONLY));
  for (const auto& value : values) TRY(WriteOnce(fd, value, FilePath(*this, file)));
  return {};
}

Status Directory::Set(std::string_view field, std::string_view file, std::string_view value) const {
  auto written = Write(file, value);
  if (written) return {};
  if (IsMissing(written.error())) return MissingFile(field, file);
  return Context(std::move(written), field);
}

Status Directory::SetEach(std::string_view field, std::string_view file,
                          const std::vector<std::string>& values) const {
  auto written = WriteEach(file, values);
  if (written) return {};
  if (IsMissing(written.error())) return MissingFile(field, file);
  return Context(std::move(written), field);
}

Status Directory::MissingFile(std::string_view field, std::string_view file) const {
  if (access(path.c_str(), F_OK) != 0) {
    return Fail(ErrorKind::kNotFound, StrCat("cgroup ", path, " does not exist"));
  }
  std::string_view hint = v2 ? " (cgroup.controllers there names the controllers it has)" : "";
  return Fail(ErrorKind::kUnsupported,
              StrCat(field, " cannot be set on this host: there is no ", file, " in ", path, hint));
}

bool IsMissing(const Error& error) {
  return error.kind == ErrorKind::kSystem && error.errno_value == ENOENT;
}

bool IsRemoved(const Error& error) {
  return IsMissing(error) || (error.kind == ErrorKind::kSystem && error.errno_value == ENODEV);
}

bool Failed(const Status& status, int errno_value) {
  return !status && status.error().kind == ErrorKind::kSystem &&
         status.error().errno_value == errno_value;
}

Result<std::string> NormalPath(std::string_view path) {
  std::string normal;
  for (std::string_view piece : Split(path, '/')) {
    if (piece.empty() || piece == ".") continue;
    if (piece == "..") return Invalid(StrCat("cgroup path ", Quote(path), " contains \"..\""));
    // The kernel refuses a newline, which would forge a line of /proc/<pid>/cgroup.
    if (piece.find_first_of(std::string_view("\n\0", 2)) != std::string_view::npos) {
      return Invalid(StrCat("cgroup path ", Quote(path), " contains a newline or zero byte"));
    }
    normal += '/';
    normal += piece;
  }
  if (normal.empty()) return Invalid(StrCat("cgroup path ", Quote(path), " names the root cgroup"));
  return normal;
}

Status CheckFileName(std::string_view field, std::string_view name) {
  bool plain = !name.empty() && name.front() != '.' &&
               std::ranges::all_of(name, [](char c) { return c > ' ' && c != '/' && c != 0x7f; });
  if (plain) return {};
  return Invalid(StrCat(field, ": ", Quote(name), " is not the name of a file in a cgroup"));
}

}  // namespace kiste::sys::cgroup
