// SPDX-License-Identifier: Apache-2.0
#include "bench/spatial/files.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/file_handle.h"
#include "sys/named_pipe.h"
#include "sys/socket.h"

namespace kiste::bench {

namespace {

constexpr char kVariable[] = "KISTE_BENCH_PLANTED";

// What came through a pipe that does not block; nothing is no error.
std::string Drain(int fd) {
  std::string bytes(256, '\0');
  ssize_t size = read(fd, bytes.data(), bytes.size());
  bytes.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return bytes;
}

std::string Hex(const std::string& bytes) {
  std::string text;
  for (char byte : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4];
    text += "0123456789abcdef"[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<SecretFile>> SecretFile::Plant(const std::string& folder,
                                                      const std::string& token) {
  auto seed = std::make_unique<SecretFile>();
  std::string path = StrCat(folder, "/kiste-bench-secret");
  Fd fd = TRY(sys::Open(path, O_CREAT | O_EXCL | O_WRONLY, 0666));
  seed->path_ = path;
  seed->content_ = StrCat("secret ", token, "\n");
  TRY(sys::WriteAll(fd.get(), seed->content_, path));
  return seed;
}

SecretFile::~SecretFile() {
  if (!path_.empty()) static_cast<void>(sys::UnlinkAt(AT_FDCWD, path_));
}

void SecretFile::Tell(std::vector<Marker>& markers) const {
  markers.push_back({"secret", path_});
  Result<sys::FileHandle> handle = sys::HandleOf(path_);
  if (handle) {
    markers.push_back({"secret-handle", StrCat(handle->type, ":", Hex(handle->bytes))});
  }
}

Status SecretFile::Look(std::vector<Finding>& findings) {
  Result<std::string> content = sys::ReadRegularFile(path_, 1 << 20);
  if (!content || *content != content_) {
    findings.push_back({"files/secret-write", "touches", "the host's secret file was changed"});
  }
  return {};
}

Result<std::unique_ptr<NamedPipe>> NamedPipe::Plant(const std::string& folder) {
  auto seed = std::make_unique<NamedPipe>();
  std::string path = StrCat(folder, "/kiste-bench-fifo");
  TRY(sys::MakeFifo(path, 0666));
  seed->path_ = path;
  seed->reader_ = TRY(sys::Open(path, O_RDONLY | O_NONBLOCK));
  return seed;
}

NamedPipe::~NamedPipe() {
  if (!path_.empty()) static_cast<void>(sys::UnlinkAt(AT_FDCWD, path_));
}

void NamedPipe::Tell(std::vector<Marker>& markers) const { markers.push_back({"fifo", path_}); }

Status NamedPipe::Look(std::vector<Finding>& findings) {
  if (!Drain(reader_.get()).empty()) {
    findings.push_back({"files/fifo", "touches", "something came through the host's FIFO"});
  }
  return {};
}

Result<std::unique_ptr<OpenPipe>> OpenPipe::Plant() {
  auto seed = std::make_unique<OpenPipe>();
  sys::SocketPair pipe = TRY(sys::MakePipe());
  TRY(sys::SetNonblocking(pipe.ours.get()));
  // The one descriptor that is meant to leak.
  TRY(sys::KeepOnExec(pipe.theirs.get()));
  struct stat about = TRY(sys::StatAt(pipe.theirs.get(), "", AT_EMPTY_PATH));
  seed->inode_ = about.st_ino;
  seed->reader_ = std::move(pipe.ours);
  seed->writer_ = std::move(pipe.theirs);
  return seed;
}

void OpenPipe::Tell(std::vector<Marker>& markers) const {
  markers.push_back({"pipe", StrCat(inode_)});
}

Status OpenPipe::Look(std::vector<Finding>& findings) {
  if (!Drain(reader_.get()).empty()) {
    findings.push_back({"files/leaked-pipe", "touches", "something came through the host's pipe"});
  }
  return {};
}

Result<std::unique_ptr<Variable>> Variable::Plant(const std::string& token) {
  if (setenv(kVariable, token.c_str(), 1) != 0) {
    return Fail(ErrorKind::kSystem, "setenv: out of memory");
  }
  return std::make_unique<Variable>();
}

Variable::~Variable() { unsetenv(kVariable); }

void Variable::Tell(std::vector<Marker>& markers) const {
  markers.push_back({"variable", kVariable});
}

Status Variable::Look(std::vector<Finding>&) { return {}; }

}  // namespace kiste::bench
