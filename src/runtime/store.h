// SPDX-License-Identifier: Apache-2.0
//
// The state folder: <root>/<id>/ holds
//     state.json   the record, replaced by rename (record.h)
//     config.json  a copy of the bundle's, for exec and delete: the bundle may be gone by then
//     updates      what an `update` locks, if there was one
//     start        the socket behind which a created container waits for `start`
//     notify/      the folder that a container with a service manager sees as /run/notify
// While the container is being made the folder has its sticky bit, and loses it once the container
// is as config.json wants it. A lock on the folder (flock) orders create, start, pause, resume and
// delete of one id. Who holds it has looked that the folder is still the one of that name: only
// then is anything in it changed.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/fd.h"
#include "base/result.h"
#include "oci/config.h"
#include "runtime/record.h"

namespace kiste::runtime {

inline constexpr char kStateFile[] = "state.json";
inline constexpr char kConfigFile[] = "config.json";
inline constexpr char kUpdateLock[] = "updates";
inline constexpr char kStartSocket[] = "start";
inline constexpr char kNotifyFolder[] = "notify";

// One container's folder.
class ContainerFolder {
 public:
  ContainerFolder(std::string id, std::string path, Fd directory,
                  std::chrono::milliseconds patience = kPatience)
      : id_(std::move(id)),
        path_(std::move(path)),
        directory_(std::move(directory)),
        patience_(patience) {}

  const std::string& id() const { return id_; }
  const std::string& path() const { return path_; }
  int directory() const { return directory_.get(); }
  // kTimeout when another command holds the lock for longer than the store's patience; kNotFound
  // when the folder was removed meanwhile.
  Status Lock() const;
  void Unlock() const;
  Status Save(const Record& record) const;
  // kNotFound when there is no record yet (a create that was killed, or one that goes on).
  Result<Record> Load() const;
  // The container is made: records that are loaded from now on say so.
  Status FinishMaking() const;
  Status SaveConfig(const std::string& text) const;
  Result<oci::Config> LoadConfig() const;
  // Replaces linux.resources in the copy of config.json.
  Status SaveResources(const oci::Resources& resources) const;
  // Held by one `update` at a time, as long as the descriptor lives. Not the folder's lock, which
  // `create` and `start` hold while hooks run, and hooks may call `update`.
  Result<Fd> LockUpdates() const;
  // Removes the folder, which is locked; what is missing is no error. An `update`, which does not
  // have that lock, may be writing into it: once the folder is gone it cannot any more.
  Status Remove() const;

 private:
  std::string id_, path_;
  Fd directory_;
  std::chrono::milliseconds patience_;
};

class Store {
 public:
  // `root` is made when missing (mode 0700: its owner's alone). kInvalid when it belongs to another
  // user than the caller and root, or when somebody else may write there.
  static Result<Store> Open(const std::string& root);
  // The same, nothing made; kNotFound when it is not there.
  static Result<Store> OpenExisting(const std::string& root);

  // Makes the folder of a new container and locks it. kExists when the id is taken, kInvalid when
  // it is no id.
  Result<ContainerFolder> Create(const std::string& id) const;
  // kInvalid when the folder belongs to another user than the caller and root.
  Result<ContainerFolder> Find(const std::string& id) const;
  Result<std::vector<std::string>> Ids() const;  // sorted
  // A directory for compiled seccomp filters; invalid when it cannot be made.
  Fd SeccompCache() const;
  const std::string& root() const { return root_; }
  int directory() const { return directory_.get(); }
  // How long a command waits for another process.
  std::chrono::milliseconds patience() const { return patience_; }
  void set_patience(std::chrono::milliseconds patience) { patience_ = patience; }

 private:
  Store(std::string root, Fd directory)
      : root_(std::move(root)), directory_(std::move(directory)) {}
  std::string root_;
  Fd directory_;
  std::chrono::milliseconds patience_ = kPatience;
};

// Letters, digits, "_", "+", "-", "."; not "." or ".."; at most 1024 (runc's rule).
Status ValidateId(const std::string& id);

}  // namespace kiste::runtime
