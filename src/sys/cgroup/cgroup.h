// SPDX-License-Identifier: Apache-2.0
//
// Cgroup is one container's cgroup: its directory in every hierarchy the host has (layout.h). It
// makes them, sets limits (resources.h), hands out what a process needs to join, freezes, signals,
// counts (stats.h) and removes. Mechanism only: names and the decision to go on without cgroups are
// the runtime's. What differs between v1 and v2 is in v1/ and v2/.
//
// It holds paths and no descriptors, so opening one costs nothing. Every path consists of a mount
// point and components that were checked (no "..", no empty ones), and files are opened with
// openat2 and RESOLVE_NO_SYMLINKS.
//
// Errors name the file and the value: `write 5 to /sys/fs/cgroup/pids/x/pids.max: Invalid argument
// (EINVAL)`. A limit that this host cannot set is kUnsupported and names the field. Everything else
// is kSystem with the errno kept: EACCES, EPERM or EROFS from Create means that this user may not
// make cgroups.
//
// With the systemd driver (systemd/unit.h) systemd makes the directories that it knows, and what is
// here is opened on them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "sys/cgroup/directory.h"
#include "sys/cgroup/layout.h"
#include "sys/cgroup/oom.h"
#include "sys/cgroup/resources.h"
#include "sys/cgroup/stats.h"

namespace kiste::sys::cgroup {

// What a new process joins with. Writing another process's pid to cgroup.procs makes the writer
// wait for an RCU grace period (milliseconds); neither of these ways does:
//   tasks    v1: `tasks` of each hierarchy, open for writing. The child, while it has one thread,
//            writes "0" into each of them. The permission was checked when they were opened, so the
//            child may have changed its user by then.
//   cgroup2  v2 and hybrid: the directory, for clone3's CLONE_INTO_CGROUP; otherwise invalid.
// A new cgroup namespace is rooted in the cgroups that its creator has at that moment (with clone3
// the parent's, even with CLONE_INTO_CGROUP): so CLONE_NEWCGROUP comes after joining, with
// unshare(2). All are close-on-exec.
struct JoinFds {
  std::vector<Fd> tasks;
  Fd cgroup2;
};

// One --cgroup option of exec: `path` below the container's cgroup, in the named controllers'
// hierarchies, or in all of them if none is named.
struct SubPath {
  std::vector<std::string> controllers;
  std::string path;
};

class Cgroup {
 public:
  // Makes the cgroup `path` in every hierarchy: absolute means below the mount points (whatever
  // ".." it has), relative below this process's own cgroups (on v2: beside them, for a v2 cgroup
  // with processes in it can have no controllers for children). Missing parents are made, too; v1's
  // cpuset.cpus and cpuset.mems are inherited from the nearest parent that has some; on v2 every
  // controller that the parents offer is enabled. An existing cgroup is taken as it is: created()
  // tells. On failure everything that was made is removed again.
  static Result<Cgroup> Create(const Layout& layout, std::string_view path);
  // The same in two steps, for a caller that writes paths() down before anything exists.
  static Result<Cgroup> Plan(const Layout& layout, std::string_view path);
  Status Make();

  // The cgroup whose paths() were saved. Nothing is touched or checked until it is used.
  static Result<Cgroup> Open(const std::map<std::string, std::string>& paths);

  Cgroup(Cgroup&&) = default;
  Cgroup& operator=(Cgroup&&) = default;
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  // Leaves the cgroup where it is: it outlives the process that made it.
  ~Cgroup() = default;

  // For the state file: controller -> absolute path; "" is v2, "name=systemd" a named hierarchy.
  std::map<std::string, std::string> paths() const;
  // The directory for `controller`, or nullptr. On pure v2 that is the one directory for any of
  // them.
  const std::string* Path(std::string_view controller) const;
  // True when Create made the directory in every hierarchy: nobody else can have processes in it.
  bool created() const { return created_; }
  // The directories that exist now, over all hierarchies.
  std::vector<std::string> Existing() const;

  // The cgroup below this one that exec --cgroup asks for; it must exist (kNotFound).
  Result<Cgroup> OpenSub(const std::vector<SubPath>& sub_paths) const;

  // The cgroup that `pid`, a process in this one or below, is in. On v2 a container that enabled
  // controllers for its own cgroups cannot be joined at its top (EBUSY), but where its init is. v1
  // directories stay as they are. kNotFound when the process is somewhere else.
  Result<Cgroup> OpenAround(pid_t pid) const;

  Result<JoinFds> OpenForJoining() const;
  // Moves another process (all its threads) into the cgroup. Slow (see JoinFds): for processes that
  // exist already.
  Status Join(pid_t pid) const;
  // The same, only in the hierarchies in which the process is somewhere else.
  Status JoinWhereMissing(pid_t pid) const;
  // v2: whether this process may start another in the cgroup (CLONE_INTO_CGROUP): it must be able
  // to write cgroup.procs where its own path and the cgroup's part (cgroup-v2.rst, "Delegation
  // Containment"). True in v1 hierarchies, whose own files say.
  Result<bool> MayEnter() const;

  // Sets every limit that is given, in an order that the kernel accepts whether limits rise or
  // fall. Devices come first; their list is replaced as a whole, without a moment in which what was
  // and stays allowed is denied, or allowed what neither was nor will be. An empty one changes
  // nothing.
  Status Apply(const Resources& resources) const;
  // The given settings that Apply passes over here because only v1 has them, or no kernel any more,
  // by their fields: "memory.swappiness". For a warning.
  std::vector<std::string> PassedOver(const Resources& resources) const;

  // v2 alone: gives the cgroup to `uid`, so that a container with its own cgroup namespace can
  // manage what is below (config-linux.md, "Cgroup ownership"; the files are those in
  // /sys/kernel/cgroup/ delegate). Does nothing where there is v1, with which delegation is not
  // safe.
  Status Delegate(uid_t uid) const;

  // Return when all processes are stopped, or running again. kTimeout after `limit`; it thaws then.
  Status Freeze(std::chrono::milliseconds limit = std::chrono::seconds(5)) const;
  Status Thaw() const;
  // Whether it was frozen itself (not through a parent). False without a freezer (v2 before
  // Linux 5.2) and when the cgroup does not exist.
  Result<bool> IsFrozen() const;
  // Does `deed` while all processes are stopped; they go on afterwards unless they were frozen
  // before. When they do not stop it is not done: kTimeout after Freeze's limit.
  Status WhileFrozen(const std::function<Status()>& deed) const;

  // All processes in the cgroup and below, each once, ascending. Empty when it does not exist. In
  // one hierarchy: whoever joins the cgroup joins in all.
  Result<std::vector<pid_t>> Pids() const;
  // The same of all hierarchies: for a cgroup that others may have put processes into.
  Result<std::vector<pid_t>> Occupants() const;
  // Sends `signal` to every process in the cgroup and below, none of which escapes by forking. With
  // SIGKILL a frozen cgroup is thawed, so that they die. Does not wait until they are gone.
  Status KillAll(int signal) const;
  // Waits until no process is left. kTimeout after `limit`.
  Status WaitEmpty(std::chrono::milliseconds limit) const;

  Result<Stats> ReadStats() const;
  // What tells of processes killed for want of memory (oom.h). kUnsupported without a controller
  // memory.
  Result<OomWatch> WatchOom() const;

  // Removes the directories and all cgroups below them, not those above. Waits up to `limit` for
  // dying processes to leave (rmdir: EBUSY). What does not exist is no error. A directory that is
  // one of `kept` stays, empty.
  Status Remove(std::chrono::milliseconds limit = std::chrono::seconds(10),
                const std::vector<std::string>& kept = {}) const;
  // Takes Create back: as Remove, and also the parents that Create made, if nobody uses them by
  // now.
  void Undo();

 private:
  // Where a controller's files are.
  struct Target {
    const Directory* directory;
    bool v2;
  };
  Cgroup() = default;

  // The directory in the v1 hierarchy that has `controller`; in the v2 hierarchy. Or nullptr.
  const Directory* Find(std::string_view controller) const;
  const Directory* V2() const;
  bool OnlyV2() const;
  // Where the limit `field` is set; kUnsupported without the controller (v1's name).
  Result<Target> TargetFor(std::string_view controller, std::string_view field) const;
  Status ApplyDevices(const std::vector<DeviceRule>& rules) const;
  Status ApplyNetwork(const Network& network) const;
  Status ApplyRest(const Resources& resources) const;
  // Signals every process in at most `passes` passes over the list.
  Status Signal(int signal, int passes) const;

  std::vector<Directory> directories_;
  bool pure_v2_ = false;
  std::vector<std::string> made_;  // by Create, parents first
  bool created_ = false;
};

}  // namespace kiste::sys::cgroup
