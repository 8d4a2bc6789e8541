// SPDX-License-Identifier: Apache-2.0
//
// Files and directories by descriptor and name (open(2), openat(2), rename(2) …). Every descriptor
// is close-on-exec. A `directory` argument is a descriptor, or AT_FDCWD. Errors name the call and
// the path.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/fd.h"
#include "base/result.h"

namespace kiste::sys {

Result<Fd> Open(const std::string& path, int flags, mode_t mode = 0);
Result<Fd> OpenAt(int directory, const std::string& path, int flags, mode_t mode = 0);
// The whole file; kInvalid when it has more than `limit` bytes; kTimeout when its end has not come
// at the deadline, for which the descriptor should be one that does not block.
Result<std::string> ReadAll(int fd, const std::string& name, size_t limit,
                            Deadline deadline = Deadline::Never());
Result<std::string> ReadFileAt(int directory, const std::string& path, size_t limit = 16 << 20);
// The same for a file that must be a regular one: a FIFO in its place would make us wait for ever.
Result<std::string> ReadRegularFile(const std::string& path, size_t limit);
// The same for what may also be a pipe (a shell's <(…)) or FIFO, for whose writer and end it waits
// until the deadline, or /dev/stdin; kInvalid for any other kind of file.
Result<std::string> ReadFileWithin(const std::string& path, size_t limit, Deadline deadline);
Status WriteAll(int fd, std::string_view text, const std::string& name);
// Opens an existing file and writes `text` at once (files of /proc and /sys).
Status WriteExisting(const std::string& path, std::string_view text);
// Replaces `name` in `directory`: written to a temporary name, then renamed. Readers see the old
// or the new content, never a part. Not synced: for file systems that do not outlive the kernel.
Status ReplaceFileAt(int directory, const std::string& name, std::string_view text, mode_t mode);
Status MakeDirectoryAt(int directory, const std::string& path, mode_t mode);
// Makes missing parents too, with the same mode; not an error when it is there.
Status MakeDirectories(const std::string& path, mode_t mode);
// fchmod(2); `path` names the file in an error.
Status ChangeMode(int fd, mode_t mode, std::string_view path);
// chown(2) of the group, then chmod(2); `path` names the file in an error.
Status GiveToGroup(int fd, gid_t group, mode_t mode, std::string_view path);
// A symbolic link at `path` to `target`; what is there already stays.
Status MakeLink(const std::string& target, const std::string& path);
Status UnlinkAt(int directory, const std::string& path, int flags = 0);
// The same; what is not there any more has been removed by somebody else, which is no error.
Status RemoveAt(int directory, const std::string& path, int flags = 0);
Result<struct stat> StatAt(int directory, const std::string& path, int flags = 0);
bool Exists(int directory, const std::string& path);
// What a symbolic link says.
Result<std::string> ReadLink(const std::string& path);
// Names in the directory but for "." and "..", unsorted.
Result<std::vector<std::string>> ListDirectory(int directory, const std::string& name);
// flock(2). kTimeout when somebody else holds the lock until the deadline.
Status LockExclusive(int fd, const std::string& name, Deadline deadline = Deadline::In(kPatience));
void Unlock(int fd);
// The absolute path with no link in it (realpath(3)).
Result<std::string> RealPath(const std::string& path);
// `path` with "//", "." and ".." taken out by the letters alone; absolute for absolute input.
std::string CleanPath(std::string_view path);
// The current directory, absolute.
Result<std::string> CurrentDirectory();

}  // namespace kiste::sys
