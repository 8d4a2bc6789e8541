// SPDX-License-Identifier: Apache-2.0
//
// A target made to run in this room: its program found, its folder made, its daemon up. From it
// come instances: one sandbox each, with a command inside, limits, perhaps a link and a data
// folder.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/description/placeholders.h"
#include "bench/description/target.h"
#include "bench/description/workload.h"
#include "bench/process/process.h"
#include "bench/room/link.h"
#include "bench/room/room.h"
#include "bench/room/root_file_system.h"
#include "sys/cgroup/cgroup.h"

namespace kiste::bench {

// Whether everything is installed that the target needs; kNotFound names what is not.
Status CheckNeeds(const TargetDescription& description);

// What an instance is to be.
struct Ask {
  Words command;  // inside; {load}, {data}, {cache}, {outside}, {inside} filled in
  const RootFileSystem* root = nullptr;
  Limits limits;
  const Link* link = nullptr;
  bool data = false;
  double patience = 120;  // seconds
};

class Target;

// One sandbox. Its destructor takes down what is still there of it.
class Instance {
 public:
  Instance(Instance&& other) noexcept;
  Instance& operator=(Instance&&) = delete;
  ~Instance();

  const std::string& id() const { return id_; }
  // The folder mounted at /data, on the host.
  const std::string& data() const { return data_; }
  bool Can(Verb verb) const;
  // The command line of a verb, ready to be started. `command` stands for {command} instead of the
  // instance's own (exec).
  Result<Start> For(Verb verb, const Words& command = {}) const;
  // Runs it to its end and says how long it took. kUnsupported when the target has no such verb.
  Result<Nanoseconds> Do(Verb verb, const Words& command = {}) const;
  // Runs the command in the foreground, to its end; its output.
  Result<Output> Run() const;
  // Runs a command that says "ready" and ends: how long until it said so.
  Result<Nanoseconds> Boot() const;

  // Has the command run beside us, by what the target has: create and start, detached, or run.
  // Returns when it has written "ready", or for want of its output when the target says it runs;
  // how long that took.
  Result<Nanoseconds> Up();
  // The same by create and start, which the target must have; how long each took.
  struct Steps {
    Nanoseconds first, second;
  };
  Result<Steps> UpInSteps();
  // Stops and deletes it; nothing of it is left. Says how long the stop took.
  Result<Nanoseconds> Down();
  Result<Steps> DownInSteps();  // how long stopping and deleting took
  // What the command writes while it is up; nullptr when nobody can read that.
  Running* running() { return running_ ? &*running_ : nullptr; }

  Deadline Patience() const;

 private:
  friend class Target;
  Instance(const Target& target, std::string id) : target_(&target), id_(std::move(id)) {}
  Status WaitUntilStopped();

  const Target* target_;
  std::string id_, data_, bundle_;
  Placeholders placeholders_;
  Words command_;
  double patience_ = 120;
  int network_ = -1;
  std::optional<sys::cgroup::Cgroup> cgroup_;  // that we made
  std::vector<Fd> tasks_;
  std::optional<Running> running_;
  bool up_ = false, created_ = false;
};

class Target {
 public:
  // Finds the program, or says that it is missing (kNotFound). `seccomp_profile` is podman's file.
  static Result<std::unique_ptr<Target>> Make(const TargetDescription& description,
                                              const Room& room);
  ~Target();
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  const TargetDescription& description() const { return description_; }
  const std::string& program() const { return program_; }
  // Of the program, its parts and files: where each is and what its version command says first.
  std::string Version() const;

  // Paths of what is read from disk for a start, as far as it is known: the programs that the
  // description names with their libraries, its files, and what lies in the target's own folder (an
  // engine's images and state).
  std::vector<std::string> FilesRead() const;

  // Starts the daemon and runs the preparations, once; again nothing.
  Status Prepare();
  // Makes the engine's image of a root file system, once for each.
  Status PrepareImage(const RootFileSystem& root);

  // Whether its instances can be kept on one processor.
  bool CanPin() const;
  // kUnsupported says what of `ask` this target has no words for; but a processor that it cannot be
  // told of is left out.
  Result<Instance> MakeInstance(const Ask& ask) const;

 private:
  friend class Instance;
  Target(const TargetDescription& description, const Room& room)
      : description_(description), room_(room) {}
  Status CheckAsk(const Ask& ask) const;
  bool LimitsAbove(const Ask& ask) const;
  Placeholders Common() const;
  Status FillPlaceholders(const Ask& ask, Instance& instance) const;
  Status JoinCgroup(const Ask& ask, Instance& instance) const;
  Status RunAll(const std::vector<Words>& commands, const Placeholders& placeholders) const;
  std::string FirstLine(const Words& command) const;
  Start Begin(Words words) const;

  TargetDescription description_;
  Room room_;
  Status BeginDaemon();

  std::string program_, folder_;
  bool prepared_ = false;
  // What could not be prepared is not tried again for every trial.
  std::optional<Error> failed_;
  std::optional<Running> daemon_;
  std::vector<const RootFileSystem*> images_;
};

}  // namespace kiste::bench
