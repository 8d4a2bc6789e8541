// SPDX-License-Identifier: Apache-2.0
//
// Several containers at once: those whose ids match a regular expression (`kill --regex`).
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "runtime/plan.h"
#include "runtime/store.h"

namespace kiste::runtime {

// Does `deed` to every container whose id has a part that matches `expression` (base/pattern.h), in
// the order of their ids. A failure does not stop the rest: it is a warning, and at the end the
// error says how many failed. Nothing matches: nothing is done.
Status ForEachMatching(const Store& store, const std::string& expression, const Warn& warn,
                       const std::function<Status(const std::string& id)>& deed);

}  // namespace kiste::runtime
