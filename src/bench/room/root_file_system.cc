// SPDX-License-Identifier: Apache-2.0
#include "bench/room/root_file_system.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/strings.h"
#include "bench/process/process.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

namespace fs = std::filesystem;

// Copies what `from` is in the end to the same path below `root`, or to `to`.
Status Copy(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::create_directories(fs::path(to).parent_path(), error);
  if (!error) fs::copy_file(from, to, fs::copy_options::skip_existing, error);
  if (!error) return {};
  return SystemError(error.value(), StrCat("copy ", from));
}

Status AddProgram(const std::string& root, const std::string& program) {
  auto found = TRY(FindProgram(program));
  auto real = TRY(sys::RealPath(found));
  TRY(Copy(real, StrCat(root, found)));
  for (const auto& library : LibrariesOf(real)) TRY(Copy(library, StrCat(root, library)));
  return {};
}

Status Fill(const std::string& root, uint64_t bytes) {
  constexpr uint64_t kFile = 1 << 20;
  TRY(sys::MakeDirectories(StrCat(root, "/filler"), 0755));
  std::string content(std::min(bytes, kFile), 'k');
  // Not the same byte everywhere: nobody may store it as a hole or compress it to nothing.
  uint32_t state = 1;
  for (char& byte : content)
    byte = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  for (uint64_t at = 0; at < bytes; at += kFile) {
    auto path = StrCat(root, "/filler/", at / kFile);
    auto file = TRY(sys::Open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    auto size = static_cast<size_t>(std::min(bytes - at, kFile));
    TRY(sys::WriteAll(file.get(), std::string_view(content).substr(0, size), path));
  }
  return {};
}

Status AddShell(const std::string& root) {
  auto busybox = FindProgram("busybox");
  if (!busybox) return {};
  auto real = TRY(sys::RealPath(*busybox));
  TRY(Copy(real, StrCat(root, "/bin/busybox")));
  for (const char* name : {"sh", "true", "sleep", "cat", "echo"}) {
    TRY(sys::MakeLink("busybox", StrCat(root, "/bin/", name)));
  }
  return {};
}

}  // namespace

std::vector<std::string> LibrariesOf(const std::string& program) {
  std::vector<std::string> libraries;
  auto listed = Succeed({.words = {"ldd", program}}, Deadline::In(std::chrono::seconds(10)));
  if (!listed) return libraries;  // not a dynamic executable: a static one, or a script
  for (auto line : Split(listed->text, '\n')) {
    size_t begin = line.find('/');
    if (begin == std::string_view::npos) continue;
    libraries.emplace_back(line.substr(begin, line.find(' ', begin) - begin));
  }
  return libraries;
}

Result<RootFileSystem> MakeRootFileSystem(const std::string& path, const std::string& image,
                                          const RootRequest& request) {
  for (const char* folder : {"", "/bin", "/data", "/dev", "/etc", "/proc", "/run", "/sys", "/tmp",
                             "/usr", "/var/lib", "/var/log", "/var/run"}) {
    TRY(sys::MakeDirectories(StrCat(path, folder), 0755));
  }
  auto root = TRY(sys::Open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // What programs and engines look for: the names of users, and files to bind over.
  for (const auto& [name, text] : {std::pair("etc/passwd", "root:x:0:0:root:/:/bin/sh\n"),
                                   {"etc/group", "root:x:0:\nnogroup:x:65534:\n"},
                                   {"etc/hosts", "127.0.0.1 localhost\n"},
                                   {"etc/resolv.conf", ""},
                                   {"etc/hostname", "bench\n"},
                                   {"etc/os-release", "ID=kiste-bench\n"},
                                   {"usr/.keep", ""}}) {
    auto file = TRY(sys::OpenAt(root.get(), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    TRY(sys::WriteAll(file.get(), text, name));
  }
  TRY(Copy(request.load, StrCat(path, "/load")));
  // A guest's kernel starts this as its first process.
  TRY(sys::MakeLink("load", StrCat(path, "/init")));
  TRY(AddShell(path));
  for (const auto& program : request.programs) TRY(AddProgram(path, program));
  if (request.filler > 0) TRY(Fill(path, request.filler));
  return RootFileSystem{path, image, request.load};
}

}  // namespace kiste::bench
