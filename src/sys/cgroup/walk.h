// SPDX-License-Identifier: Apache-2.0
//
// Walks the cgroups below a directory: for listing processes and for removing. Holds one descriptor
// at a time however deep the tree is, and paths of any length: a container that may make cgroups
// can make them deeper than PATH_MAX and than the limit on open files.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "sys/cgroup/directory.h"

namespace kiste::sys::cgroup {

struct Visitor {
  // For the top and every directory below it, parents first: `fd` is the directory. May be empty.
  std::function<Status(int fd)> enter;
  // For every directory below the top when all below it has been left: `name` in its parent's `fd`.
  // May be empty.
  std::function<Status(int parent_fd, const std::string& name)> leave;
};

// Directories that vanish meanwhile are passed over; a missing top is no error.
Status Walk(const Directory& top, const Visitor& visitor);

}  // namespace kiste::sys::cgroup
