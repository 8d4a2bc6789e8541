// SPDX-License-Identifier: Apache-2.0
//
// The state of a container as the specification prints it (runtime.md, "State"): what `state`
// answers and hooks and seccomp agents read.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>

namespace kiste::oci {

constexpr std::string_view kVersion = "1.3.0";  // the runtime-spec that this tree implements

struct State {
  std::string id;
  std::string status;  // creating, created, running, stopped (paused: runc's addition)
  pid_t pid = 0;       // on the host; absent from the text when 0
  std::string bundle;
  std::map<std::string, std::string> annotations;
};

// Compact JSON, for hooks' standard input.
std::string StateJson(const State& state);

}  // namespace kiste::oci
