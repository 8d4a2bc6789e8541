// SPDX-License-Identifier: Apache-2.0
// What is measured, and how each kind of it is called: an OCI runtime (runc's command line), the
// floor program, bubblewrap. A target knows command lines and nothing else.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bundle.h"
#include "process.h"
#include "result.h"

namespace kiste::perf {

enum class Verb { kRun, kCreate, kStart, kState, kExec, kPause, kResume, kKill, kDelete };

// One container as the command lines name it.
struct Container {
  std::string id;      // also its cgroup, below the root of every hierarchy
  std::string bundle;  // for the runtimes that read one
  std::string rootfs;
  std::string pid_file;
  Argv payload;
  Argv exec_payload;
  pid_t pid = 0;  // after create
};

class Target {
 public:
  virtual ~Target() = default;
  virtual bool Can(Verb verb) const = 0;
  virtual bool CanFilter() const = 0;  // takes part in the seccomp cases
  virtual Argv Command(Verb verb, const Container& container) const = 0;
  virtual Argv VersionCommand() const = 0;  // empty: it has none

  const std::string& Name() const { return name_; }
  const std::string& Program() const { return program_[0]; }
  const std::string& StateDirectory() const { return state_; }

 protected:
  Target(std::string name, Argv program, std::string state)
      : name_(std::move(name)), program_(std::move(program)), state_(std::move(state)) {}
  std::string name_;
  Argv program_;  // and its global options
  std::string state_;
};

// NAME[=[oci:|floor:|bwrap:]PROGRAM [GLOBAL OPTIONS]]. Without PROGRAM: the name is looked for; for
// kiste the release build, for floor the program beside this one. The error says what is missing.
Result<std::unique_ptr<Target>> MakeTarget(const std::string& text,
                                           const std::string& own_directory,
                                           const std::string& work_directory);

// The path of an executable: `name` itself if it has a slash, else found in PATH and the sbin
// folders.
Result<std::string> FindProgram(const std::string& name);

}  // namespace kiste::perf
