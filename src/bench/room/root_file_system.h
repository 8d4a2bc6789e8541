// SPDX-License-Identifier: Apache-2.0
//
// The root file system from which every target starts its programs: `load`, a static busybox where
// there is one, the host's programs that a workload asks for with their libraries, and bytes that
// nobody reads, to see what size costs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace kiste::bench {

struct RootFileSystem {
  std::string path;
  std::string image;  // how engines call it
  std::string load;   // the program's path on the host
};

struct RootRequest {
  std::string load;                   // the program to put at /load
  std::vector<std::string> programs;  // by name or path
  uint64_t filler = 0;                // bytes, in files of at most 1 MiB
};

// The libraries of a dynamic program and its loader, as ldd(1) finds them; none of a static one.
std::vector<std::string> LibrariesOf(const std::string& program);

// Lays it out at `path`, which must not exist. kNotFound names a program or a library.
Result<RootFileSystem> MakeRootFileSystem(const std::string& path, const std::string& image,
                                          const RootRequest& request);

}  // namespace kiste::bench
