// SPDX-License-Identifier: Apache-2.0
// Leaves the host as it was, however the measuring process ended. main.cc keeps a small process
// outside that does nothing but wait for it and then sweep; being a subreaper, it inherits every
// process that a killed runtime left alone.
#pragma once

#include <string>

namespace kiste::perf {

struct Swept {
  int cgroups = 0;
  int processes = 0;
};

// Ends all descendants, removes cgroups that begin with prefix, and removes the work directory.
// What is counted was left behind by somebody.
Swept Sweep(const std::string& prefix, const std::string& work_directory);

}  // namespace kiste::perf
