// SPDX-License-Identifier: Apache-2.0
//
// Everything that is planted on the host for one trial of the probes (`load pry`). "The host" is
// the room of the run: its namespaces, and what of the machine is in no namespace. Every planted
// thing carries a word drawn at random, the token: whoever knows it in the sandbox has seen it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/spatial/seed.h"

namespace kiste::bench {

class Planting {
 public:
  // Into `folder`, which is there and outside of every sandbox. What cannot be planted here (no
  // keyrings, no kernel log) is left out: see missing(). The process must have one thread, as it
  // forks and sets a variable; and at most one planting at a time, for that variable.
  static Result<Planting> Plant(const std::string& folder);

  Planting(Planting&&) = default;
  Planting& operator=(Planting&&) = default;

  // The words for `load pry`: "--marker", "token=…", …
  std::vector<std::string> Arguments() const;
  // What was touched, as seen from here. A finding of a probe that the inside reported as well
  // replaces that (Merge).
  Result<std::vector<Finding>> Look();
  // What was not planted, and why.
  const std::vector<std::string>& missing() const { return missing_; }
  const std::string& token() const { return token_; }

 private:
  Planting() = default;
  // Keeps the seed, or remembers why there is none.
  template <typename T>
  void Keep(const char* what, Result<std::unique_ptr<T>> seed);

  std::string token_, folder_;
  std::vector<std::unique_ptr<Seed>> seeds_;
  std::vector<std::string> missing_;
};

// The findings of both sides: the host's word counts where both speak of one probe.
std::vector<Finding> Merge(std::vector<Finding> inside, const std::vector<Finding>& host);

}  // namespace kiste::bench
