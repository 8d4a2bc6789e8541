// SPDX-License-Identifier: Apache-2.0
//
// What is planted in the kernel itself: a key of the user, a line of the log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/spatial/seed.h"

namespace kiste::bench {

class UserKey : public Seed {
 public:
  static Result<std::unique_ptr<UserKey>> Plant(const std::string& token);
  ~UserKey() override;
  void Tell(std::vector<Marker>& markers) const override;
  Status Look(std::vector<Finding>& findings) override;

 private:
  std::string description_, token_;
  int32_t key_ = 0;
};

// One line, which the log keeps until it is overwritten: the only thing that stays.
class LogLine : public Seed {
 public:
  static Result<std::unique_ptr<LogLine>> Plant(const std::string& token);
  void Tell(std::vector<Marker>& markers) const override;
  Status Look(std::vector<Finding>& findings) override;
};

}  // namespace kiste::bench
