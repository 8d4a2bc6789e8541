// SPDX-License-Identifier: Apache-2.0
//
// The options of the cgroup v2 hierarchy. They are the hierarchy's, not a mount's: whoever mounts
// it once more from the first cgroup namespace sets them all anew (cgroups(7), "nsdelegate"). criu
// does, and names none.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace kiste::sys {

class Cgroup2Options {
 public:
  // What they are now. Nothing where no cgroup v2 is mounted.
  static Result<Cgroup2Options> Read();
  // Makes them again what they were, where they have changed. Needs CAP_SYS_ADMIN.
  Status Restore() const;

 private:
  std::string point_;                 // where it is mounted; empty: nowhere
  std::vector<std::string> options_;  // "nsdelegate", "memory_recursiveprot"
};

}  // namespace kiste::sys
