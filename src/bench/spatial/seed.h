// SPDX-License-Identifier: Apache-2.0
//
// One thing that is planted on the host for the probes in a sandbox to find: what it is called
// there, and what has become of it. It is taken away by its destructor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/record/outcome.h"

namespace kiste::bench {

// What the probes are told: `--marker name=value` (docs/bench-probes.md lists the names).
struct Marker {
  std::string name, value;
};

class Seed {
 public:
  Seed() = default;
  Seed(const Seed&) = delete;
  Seed& operator=(const Seed&) = delete;
  virtual ~Seed() = default;

  virtual void Tell(std::vector<Marker>& markers) const = 0;
  // Appends what happened to it since it was planted, under the name of the probe that does such a
  // thing; nothing when it is as it was.
  virtual Status Look(std::vector<Finding>& findings) = 0;
};

}  // namespace kiste::bench
