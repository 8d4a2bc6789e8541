// SPDX-License-Identifier: Apache-2.0
//
// State texts for readers inside the container's life cycle that are written before its pid is
// known: the launcher puts the pid in (isolation::kPidMark).
#pragma once

#include <string>

#include "oci/config.h"
#include "oci/state.h"

namespace kiste::runtime {

// For hooks that run inside: oci::StateJson with the mark for the pid.
std::string StateTemplate(oci::State state);
// For a seccomp agent: the container process state (config-linux.md, "The Container Process
// State").
std::string SeccompStateTemplate(const oci::State& state, const oci::Linux& linux);

}  // namespace kiste::runtime
