// SPDX-License-Identifier: Apache-2.0
//
// Names inside the container's root. The root file system belongs to somebody who may change it
// while we look (CVE-2021-30465): every name is resolved by openat2(2) with RESOLVE_IN_ROOT, and
// what is mounted or made goes to the descriptor that came back, never to the name again.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

constexpr __u64 kStay = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
constexpr int kMaxLinks = 40;    // as the kernel's MAXSYMLINKS
constexpr int kMaxRetries = 64;  // openat2 answers EAGAIN while somebody renames

long OpenBelow(int directory, const char* path, __u64 flags, __u64 resolve) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = resolve;
  long fd = -EAGAIN;
  for (int i = 0; i < kMaxRetries && (fd == -EAGAIN || fd == -EINTR); ++i) {
    fd = Call<__NR_openat2>(directory, path, &how, sizeof how);
  }
  return fd;
}

__u64 Resolve(bool no_symlinks) {
  return RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (no_symlinks ? RESOLVE_NO_SYMLINKS : 0u);
}

// A path being walked: what is done (resolved as far as it exists), what is still to come.
struct Walk {
  char done[kPathMax];
  char rest[kPathMax];
};

// Takes the first component off `rest` into `name`; false when there is none left.
bool NextComponent(char* rest, char (&name)[256], long& error) {
  char* at = rest;
  while (*at == '/') ++at;
  char* end = at;
  while (*end != 0 && *end != '/') ++end;
  unsigned long length = static_cast<unsigned long>(end - at);
  if (length == 0) return false;
  if (length >= sizeof name) {
    error = -ENAMETOOLONG;
    return false;
  }
  Copy(name, at, length);
  name[length] = 0;
  unsigned remaining = Length(end);
  for (unsigned i = 0; i <= remaining; ++i) rest[i] = end[i];
  return true;
}

// `name` in directory `parent` is a link whose target is missing: puts the target in front of what
// is still to walk. Its components are then made inside the root like any others.
long FollowDangling(int parent, const char* name, Walk& walk) {
  char target[kPathMax];
  long length = Call<__NR_readlinkat>(parent, name, target, sizeof target - 1);
  if (length < 0) return length;
  target[length] = 0;
  if (static_cast<unsigned long>(length) + 1 + Length(walk.rest) >= kPathMax) return -ENAMETOOLONG;
  const char* end = target + sizeof target;
  char* to = AppendText(target + length, end, "/");
  AppendText(to, end, walk.rest);
  Copy(walk.rest, target, Length(target) + 1);
  if (target[0] == '/') walk.done[0] = 0;
  return 0;
}

long MakeComponent(int parent, const char* name, bool file) {
  if (!file) return Call<__NR_mkdirat>(parent, name, 0755);
  long fd =
      Call<__NR_openat>(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0755);
  if (fd >= 0) Call<__NR_close>(fd);
  return fd < 0 ? fd : 0;
}

// Walks `path` component by component, making what is missing; the last component is a file if
// `last_is_file`. Returns an O_PATH descriptor.
long MakeInRoot(const Launcher& l, const char* path, bool last_is_file) {
  if (Length(path) + 1 >= kPathMax) return -ENAMETOOLONG;
  static Walk walk;
  walk.done[0] = 0;
  AppendText(walk.rest, walk.rest + sizeof walk.rest, path);
  Handle current(OpenBelow(l.root, ".", O_PATH | O_DIRECTORY, Resolve(false)));
  if (current.bad()) return current.error();
  char name[256];
  long error = 0;
  int links = 0;
  while (NextComponent(walk.rest, name, error)) {
    if (Equal(name, ".")) continue;
    char* end = walk.done + Length(walk.done);
    // ".." too: the kernel takes it from where the links before it lead.
    if (end + 1 + Length(name) + 1 >= walk.done + kPathMax) return -ENAMETOOLONG;
    AppendText(AppendText(end, walk.done + kPathMax, "/"), walk.done + kPathMax, name);
    const char* resolved = walk.done[0] == 0 ? "." : walk.done;
    long next = OpenBelow(l.root, resolved, O_PATH, Resolve(false));
    if (next == -ENOENT) {
      bool last = true;
      for (const char* at = walk.rest; *at != 0; ++at) last = last && *at == '/';
      error = MakeComponent(current.get(), name, last && last_is_file);
      if (error == -EEXIST) {  // a dangling link, or somebody was quicker
        char cut = *end;
        *end = 0;
        error = FollowDangling(current.get(), name, walk);
        if (error == -EINVAL) {  // no link: it has just been made
          *end = cut;
          next = OpenBelow(current.get(), name, O_PATH | O_NOFOLLOW, kStay);
        } else if (error < 0 || ++links > kMaxLinks) {
          return error < 0 ? error : -ELOOP;
        } else {
          next = OpenBelow(l.root, walk.done[0] == 0 ? "." : walk.done, O_PATH, Resolve(false));
        }
      } else if (error < 0) {
        return error;
      } else {
        next = OpenBelow(current.get(), name, O_PATH | O_NOFOLLOW, kStay);
      }
    }
    if (next < 0) return next;
    current.Replace(next);
  }
  return error == -ENAMETOOLONG ? error : current.Release();
}

}  // namespace

namespace {

// Mostly only the last component is missing: one deed in its parent. -ENOENT sends the caller the
// long way, as does a name that is there after all (a dangling link).
long MakeLastComponent(const Launcher& l, const char* path, bool file, bool no_symlinks) {
  static char parent[kPathMax];
  unsigned length = Length(path);
  unsigned name = length;
  while (name > 0 && path[name - 1] != '/') --name;
  const char* last = path + name;
  if (length >= kPathMax || last[0] == 0 || Equal(last, ".") || Equal(last, "..")) return -ENOENT;
  Copy(parent, path, name);
  parent[name] = 0;
  Handle directory(
      OpenBelow(l.root, name == 0 ? "." : parent, O_PATH | O_DIRECTORY, Resolve(no_symlinks)));
  if (directory.bad()) return directory.error();
  long error = MakeComponent(directory.get(), last, file);
  if (error < 0) return error == -EEXIST ? -ENOENT : error;
  return OpenBelow(directory.get(), last, O_PATH | O_NOFOLLOW, kStay);
}

}  // namespace

long OpenInRoot(const Launcher& l, const char* path, Create create, bool no_symlinks) {
  long fd = OpenBelow(l.root, path, O_PATH, Resolve(no_symlinks));
  if (fd != -ENOENT || create == Create::kNothing) return fd;
  fd = MakeLastComponent(l, path, create == Create::kFile, no_symlinks);
  if (fd != -ENOENT) return fd;
  Handle made(MakeInRoot(l, path, create == Create::kFile));
  if (made.bad() || !no_symlinks) return made.Release();
  return OpenBelow(l.root, path, O_PATH, Resolve(no_symlinks));
}

long OpenLinkInRoot(const Launcher& l, const char* path) {
  return OpenBelow(l.root, path, O_PATH | O_NOFOLLOW, Resolve(false));
}

long OpenTerminalInRoot(const Launcher& l, const char* path) {
  return OpenBelow(l.root, path, O_RDWR | O_NOCTTY, Resolve(true));
}

long OpenParentInRoot(const Launcher& l, const char* path, const char** name) {
  static char parent[kPathMax];
  static char last[kPathMax];
  if (Length(path) + 1 >= kPathMax) return -ENAMETOOLONG;
  AppendText(parent, parent + sizeof parent, path);
  unsigned length = Length(parent);
  while (length > 0 && parent[length - 1] == '/') parent[--length] = 0;
  while (length > 0 && parent[length - 1] != '/') --length;
  AppendText(last, last + sizeof last, parent + length);
  *name = last;
  parent[length] = 0;  // the slash before it stays: a file is no parent
  return OpenInRoot(l, parent[0] == 0 ? "." : parent, Create::kDirectory);
}

}  // namespace kiste::isolation::launcher
