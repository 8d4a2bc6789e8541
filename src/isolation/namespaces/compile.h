// SPDX-License-Identifier: Apache-2.0
//
// From a LaunchPlan to the launcher's program: what is done in which order. The order can be read
// aloud in compile.cc; the parts stand in compile_root.cc and compile_process.cc.
#pragma once

#include <vector>

#include "base/result.h"
#include "isolation/namespaces/program_builder.h"
#include "isolation/plan.h"

namespace kiste::isolation {

// What the runtime does on the host while the launcher waits at a kSync.
enum class SyncPoint {
  kIdMaps,     // write uid_map and gid_map of the child
  kCgroup,     // have the child moved into its cgroup
  kNetwork,    // move devices into the network namespace
  kHostHooks,  // prestart, createRuntime
  kLimits,     // rlimits and oom_score_adj that a user namespace cannot set by itself
};

struct Compiled {
  ProgramBuilder builder;
  std::vector<SyncPoint> syncs;   // in the order in which they are met
  uint64_t clone_namespaces = 0;  // for the first clone3; the rest is done by kFork
  int forks = 0;                  // kFork operations: the last child is the container
};

struct CompileOptions {
  bool host_hooks = false;  // stop once the namespaces and mounts are there
  // Bit n-1: signal n may be ignored here, and would stay so through execve.
  uint64_t ignored_signals = ~uint64_t{0};
};

// Fails with kUnsupported for what this backend cannot do.
Result<Compiled> Compile(const LaunchPlan& plan, const CompileOptions& options);

// The parts.
void CompileRoot(const RootPlan& root, ProgramBuilder& builder);
void CompileMountChange(const MountChange& change, ProgramBuilder& builder);
void CompileDeviceNodes(const RootPlan& root, ProgramBuilder& builder);
void CompileRootEnd(const RootPlan& root, ProgramBuilder& builder);
// createContainer hooks start in the container's root, as in runc; startContainer hooks in the
// process's working directory. `home` is the variable for those hooks that have the process's
// environment, from CompileHome().
void CompileCreateHooks(const InnerHooks& hooks, ProgramBuilder& builder);
void CompileStartHooks(const InnerHooks& hooks, launcher::Offset home, ProgramBuilder& builder);
// Credentials and limits up to the point where `start` is awaited, and the steps after it.
void CompileProcess(const ProcessPlan& process, bool limits_set, ProgramBuilder& builder);
void CompileLimits(const ProcessPlan& process, ProgramBuilder& builder);
// Where HOME=… will be once it is found; 0 when the environment has one.
launcher::Offset CompileHome(const ProcessPlan& process, ProgramBuilder& builder);
void CompileExec(const ProcessPlan& process, launcher::Offset home, ProgramBuilder& builder);

}  // namespace kiste::isolation
