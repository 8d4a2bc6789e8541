// SPDX-License-Identifier: Apache-2.0
//
// The planted process, and the sockets at which it listens. It tells of itself in its command line
// and environment, sleeps, and counts what happens to it: signals, a byte in its memory, who
// connects. It is a child that goes on in this program, and ends with the planting.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "bench/spatial/seed.h"

namespace kiste::bench {

struct WitnessMemory;

class Witness : public Seed {
 public:
  static Result<std::unique_ptr<Witness>> Plant(const std::string& folder,
                                                const std::string& token);
  ~Witness() override;
  void Tell(std::vector<Marker>& markers) const override;
  Status Look(std::vector<Finding>& findings) override;
  pid_t pid() const { return pid_; }

 private:
  Status Listen(const std::string& folder, const std::string& token);
  Status Start(const std::string& folder, const std::string& token);

  WitnessMemory* memory_ = nullptr;
  Fd abstract_, path_socket_, loopback_, lifeline_, pidfd_;
  std::string abstract_name_, path_;
  uint16_t port_ = 0;
  pid_t pid_ = -1;
  bool ended_ = false;
};

}  // namespace kiste::bench
