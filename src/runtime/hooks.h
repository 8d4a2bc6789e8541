// SPDX-License-Identifier: Apache-2.0
//
// Hooks that run on the host, in the runtime's namespaces (config.md, "POSIX-platform Hooks"):
// prestart, createRuntime, poststart, poststop. The state is on their standard input; a timeout
// kills them. Their working directory is the bundle. One that names no environment has the
// runtime's (docs/decisions/0014). (createContainer and startContainer are the launcher's.)
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "oci/config.h"
#include "oci/state.h"

namespace kiste::runtime {

// Runs them in order, stops at the first failure. `kind` names them in errors: "hooks.prestart".
Status RunHooks(const std::vector<oci::Hook>& hooks, const oci::State& state,
                std::string_view kind);
// Runs them all, handing each failure to `complain` (poststop: "the remaining hooks MUST be
// executed").
void RunHooksTolerantly(const std::vector<oci::Hook>& hooks, const oci::State& state,
                        std::string_view kind, const std::function<void(const Error&)>& complain);

}  // namespace kiste::runtime
