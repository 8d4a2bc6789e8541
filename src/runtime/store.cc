// SPDX-License-Identifier: Apache-2.0
#include "runtime/store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/strings.h"
#include "oci/parse.h"
#include "oci/resources_text.h"
#include "sys/file.h"

namespace kiste::runtime {

namespace {

constexpr size_t kMaxIdBytes = 1024;
constexpr mode_t kRootMode = 0700;
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kBeingMade = S_ISVTX;
constexpr int kMaxRemovals = 1000;            // of a folder into which `update` goes on to write
constexpr char kSeccompCache[] = ".seccomp";  // no id: ids of containers never lead to it

bool IsIdCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '+' || c == '-' || c == '.';
}

bool IsOurs(const struct stat& status) { return status.st_uid == geteuid() || status.st_uid == 0; }

// Who else may make, and so rename, what is in the directory. A group of the user's own is common,
// with umask 002; it is taken for that when it is the caller's.
bool OthersMayWrite(const struct stat& status) {
  bool own_group = status.st_gid == getegid() || status.st_gid == 0;
  return (status.st_mode & S_IWOTH) != 0 || ((status.st_mode & S_IWGRP) != 0 && !own_group);
}

Status RemoveFiles(int directory, const std::string& path) {
  auto names = sys::ListDirectory(directory, path);
  if (!names) return {};
  for (const auto& name : *names) TRY_CONTEXT(sys::RemoveAt(directory, name), path);
  return {};
}

}  // namespace

Status ValidateId(const std::string& id) {
  bool valid = !id.empty() && id.size() <= kMaxIdBytes && id != "." && id != ".." &&
               id != kSeccompCache && std::all_of(id.begin(), id.end(), IsIdCharacter);
  if (valid) return {};
  return Invalid(StrCat("container id ", Quote(id), ": expected 1 to ", kMaxIdBytes,
                        " letters, digits, '_', '+', '-' and '.'"));
}

Status ContainerFolder::Lock() const {
  auto locked = sys::LockExclusive(directory_.get(), path_, Deadline::In(patience_));
  if (!locked && locked.error().kind == ErrorKind::kTimeout) {
    return Fail(ErrorKind::kTimeout, StrCat("container ", Quote(id_),
                                            " is busy: another command has not finished with it ",
                                            "within ", patience_.count() / 1000, " s"));
  }
  TRY(std::move(locked));
  // While it is locked nobody else removes it; before, somebody may have, and made another.
  auto status = TRY(sys::StatAt(directory_.get(), ".", 0));
  if (status.st_nlink != 0) return {};
  return Fail(ErrorKind::kNotFound, StrCat("container ", Quote(id_), " was deleted meanwhile"));
}

void ContainerFolder::Unlock() const { sys::Unlock(directory_.get()); }

Status ContainerFolder::Save(const Record& record) const {
  return sys::ReplaceFileAt(directory_.get(), kStateFile, RecordJson(record), 0600);
}

Result<Record> ContainerFolder::Load() const {
  auto text = sys::ReadFileAt(directory_.get(), kStateFile);
  if (!text && text.error().errno_value == ENOENT) {
    return Fail(ErrorKind::kNotFound,
                StrCat("container ", Quote(id_), " does not exist: ", path_, " has no state.json"));
  }
  if (!text) return Context(std::move(text), path_);
  auto record = TRY(ParseRecord(std::move(*text), StrCat(path_, "/", kStateFile)));
  auto folder = TRY(sys::StatAt(directory_.get(), ".", 0));
  record.being_made = (folder.st_mode & kBeingMade) != 0;
  return record;
}

Status ContainerFolder::FinishMaking() const {
  return sys::ChangeMode(directory_.get(), kFolderMode, path_);
}

Status ContainerFolder::SaveConfig(const std::string& text) const {
  Fd file = TRY(sys::OpenAt(directory_.get(), kConfigFile, O_WRONLY | O_CREAT | O_EXCL, 0600));
  return sys::WriteAll(file.get(), text, kConfigFile);
}

Result<oci::Config> ContainerFolder::LoadConfig() const {
  std::string text = TRY_CONTEXT(sys::ReadFileAt(directory_.get(), kConfigFile), path_);
  return oci::ParseConfig(std::move(text), StrCat(path_, "/", kConfigFile));
}

Status ContainerFolder::SaveResources(const oci::Resources& resources) const {
  std::string text = TRY_CONTEXT(sys::ReadFileAt(directory_.get(), kConfigFile), path_);
  std::string changed = TRY(oci::WithResources(text, StrCat(path_, "/", kConfigFile), resources));
  return sys::ReplaceFileAt(directory_.get(), kConfigFile, changed, 0600);
}

Result<Fd> ContainerFolder::LockUpdates() const {
  Fd file = TRY(sys::OpenAt(directory_.get(), kUpdateLock, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  TRY(sys::LockExclusive(file.get(), StrCat(path_, "/", kUpdateLock)));
  return file;
}

Status ContainerFolder::Remove() const {
  auto notify = sys::OpenAt(directory_.get(), kNotifyFolder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (notify) {
    TRY(RemoveFiles(notify->get(), StrCat(path_, "/", kNotifyFolder)));
    TRY(sys::RemoveAt(directory_.get(), kNotifyFolder, AT_REMOVEDIR));
  }
  Status removed;
  for (int i = 0; i < kMaxRemovals; ++i) {
    TRY(RemoveFiles(directory_.get(), path_));
    removed = sys::RemoveAt(AT_FDCWD, path_, AT_REMOVEDIR);
    if (removed || removed.error().errno_value != ENOTEMPTY) break;
  }
  return removed;
}

Result<Store> Store::Open(const std::string& root) {
  TRY_CONTEXT(sys::MakeDirectories(root, kRootMode), "--root");
  return OpenExisting(root);
}

Result<Store> Store::OpenExisting(const std::string& root) {
  auto directory = sys::Open(root, O_RDONLY | O_DIRECTORY);
  if (!directory && directory.error().errno_value == ENOENT) {
    return Fail(ErrorKind::kNotFound, StrCat("--root ", root, ": no such directory"));
  }
  if (!directory) return Context(std::move(directory), "--root");
  auto status = TRY(sys::StatAt(directory->get(), ".", 0));
  if (!IsOurs(status) || OthersMayWrite(status)) {
    return Invalid(StrCat(
        "--root ", root, ": expected a directory of uid ", geteuid(),
        " that others cannot write, found one of uid ", status.st_uid,
        OthersMayWrite(status) ? StrCat(" that gid ", status.st_gid, " or others can") : ""));
  }
  return Store(root, std::move(*directory));
}

Result<ContainerFolder> Store::Create(const std::string& id) const {
  TRY(ValidateId(id));
  auto made = sys::MakeDirectoryAt(directory_.get(), id, kFolderMode | kBeingMade);
  if (!made && made.error().errno_value == EEXIST) {
    return Fail(ErrorKind::kExists, StrCat("container with id ", Quote(id), " exists already"));
  }
  if (!made) return Context(std::move(made), root_);
  // From here to the lock another `delete --force` may take the folder for a dead create's, and
  // another create may make it anew.
  auto taken = [&] {
    return Fail(ErrorKind::kExists,
                StrCat("container id ", Quote(id), " is in use by another command"));
  };
  auto directory = sys::OpenAt(directory_.get(), id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory) {
    if (directory.error().errno_value == ENOENT) return taken();
    static_cast<void>(sys::UnlinkAt(directory_.get(), id, AT_REMOVEDIR));
    return Context(std::move(directory), root_);
  }
  ContainerFolder folder(id, StrCat(root_, "/", id), std::move(*directory), patience_);
  auto locked = folder.Lock();
  if (!locked && locked.error().kind == ErrorKind::kNotFound) return taken();
  if (!locked) {
    // Only an empty folder goes: that of another create has files in it as soon as it is locked.
    static_cast<void>(sys::UnlinkAt(directory_.get(), id, AT_REMOVEDIR));
    return std::unexpected(std::move(locked).error());
  }
  if (sys::Exists(folder.directory(), kConfigFile)) return taken();
  return folder;
}

Result<ContainerFolder> Store::Find(const std::string& id) const {
  TRY(ValidateId(id));
  auto directory = sys::OpenAt(directory_.get(), id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory && directory.error().errno_value == ENOENT) {
    return Fail(ErrorKind::kNotFound, StrCat("container ", Quote(id), " does not exist"));
  }
  if (!directory) return Context(std::move(directory), root_);
  auto status = TRY(sys::StatAt(directory->get(), ".", 0));
  std::string path = StrCat(root_, "/", id);
  if (!IsOurs(status)) {
    return Invalid(StrCat(path, ": expected a directory of uid ", geteuid(), ", found one of uid ",
                          status.st_uid));
  }
  return ContainerFolder(id, std::move(path), std::move(*directory), patience_);
}

Result<std::vector<std::string>> Store::Ids() const {
  auto names = TRY(sys::ListDirectory(directory_.get(), root_));
  std::erase_if(names, [](const std::string& name) { return !ValidateId(name); });
  std::sort(names.begin(), names.end());
  return names;
}

Fd Store::SeccompCache() const {
  static_cast<void>(sys::MakeDirectoryAt(directory_.get(), kSeccompCache, 0700));
  auto directory =
      sys::OpenAt(directory_.get(), kSeccompCache, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  return directory ? std::move(*directory) : Fd();
}

}  // namespace kiste::runtime
