// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <utility>

#include "base/fd.h"
#include "base/strings.h"
#include "sys/seccomp/cache_file.h"
#include "sys/seccomp/seccomp.h"

namespace kiste::sys {

namespace {

constexpr size_t kNameDigits = 16;

std::string Hex(uint64_t number) {
  char digits[kNameDigits];
  auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  std::string text(digits, end);
  return std::string(kNameDigits - text.size(), '0') + text;
}

bool IsEntry(std::string_view name) {
  return name.size() == kNameDigits &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Only a file that nobody but the effective user could have written is believed. O_NONBLOCK: the
// name may be a FIFO's.
bool Believable(const struct stat& status, std::string_view key) {
  return S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
         (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 && status.st_size > 0 &&
         static_cast<uint64_t>(status.st_size) <= MaxCacheFileBytes(key);
}

std::optional<SeccompProgram> Load(int directory, const std::string& name, std::string_view key) {
  Fd file(
      openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status{};
  if (!file || fstat(file.get(), &status) < 0 || !Believable(status, key)) return std::nullopt;
  auto size = static_cast<size_t>(status.st_size);
  auto bytes = std::make_unique_for_overwrite<char[]>(size);
  if (read(file.get(), bytes.get(), size) != status.st_size) return std::nullopt;
  return ParseCacheFile({bytes.get(), size}, key);
}

// Other processes see the old file, no file or the whole new one. The new one has no name until it
// is whole (open(2), O_TMPFILE), so that a writer that dies leaves nothing; a file system without
// such files gets no cache.
bool Store(int directory, const std::string& name, std::string_view bytes) {
  Fd file(openat(directory, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600));
  if (!file || fchmod(file.get(), 0600) < 0 ||
      write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    return false;
  }
  std::string itself = StrCat("/proc/self/fd/", file.get());
  auto give_name = [&] {
    return linkat(AT_FDCWD, itself.c_str(), directory, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
  };
  if (give_name()) return true;
  return errno == EEXIST && unlinkat(directory, name.c_str(), 0) == 0 && give_name();
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// Removes the oldest entries beyond the bound, never `newest`.
void Prune(int cache_dir, const std::string& newest) {
  Fd again(openat(cache_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again) return;
  std::unique_ptr<DIR, CloseDirectory> directory(fdopendir(again.get()));
  if (!directory) return;
  int fd = again.Release();  // now the stream's
  struct Entry {
    timespec written;
    std::string name;
  };
  std::vector<Entry> entries;
  while (const dirent* found = readdir(directory.get())) {
    std::string name = found->d_name;
    struct stat status{};
    if (name != newest && IsEntry(name) &&
        fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
      entries.push_back({status.st_mtim, std::move(name)});
    }
  }
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return std::pair(a.written.tv_sec, a.written.tv_nsec) <
           std::pair(b.written.tv_sec, b.written.tv_nsec);
  });
  size_t others = kSeccompCacheEntries - 1;
  for (size_t i = 0; i + others < entries.size(); ++i) unlinkat(fd, entries[i].name.c_str(), 0);
}

}  // namespace

Result<SeccompProgram> CompileSeccompCached(const SeccompProfile& profile, int cache_dir_fd) {
  if (cache_dir_fd < 0) return CompileSeccomp(profile);
  std::string key = SeccompKey(profile);
  std::string name = Hex(SeccompHash(key));
  if (auto hit = Load(cache_dir_fd, name, key)) return *std::move(hit);
  auto program = TRY(CompileSeccomp(profile));
  if (Store(cache_dir_fd, name, FormatCacheFile(program, key))) Prune(cache_dir_fd, name);
  return program;
}

}  // namespace kiste::sys
