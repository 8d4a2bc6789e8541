// SPDX-License-Identifier: Apache-2.0
//
// Planted objects of the ipc namespace and of /dev/shm.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "bench/spatial/seed.h"

namespace kiste::bench {

// The token, and zeros behind it that a probe writes to.
class Segment : public Seed {
 public:
  static Result<std::unique_ptr<Segment>> Plant(const std::string& token);
  ~Segment() override;
  void Tell(std::vector<Marker>& markers) const override;
  Status Look(std::vector<Finding>& findings) override;

 private:
  key_t key_ = 0;
  int id_ = -1;
  void* memory_ = nullptr;
};

// Two: the first has a value that was drawn, the second is for adding to.
class Semaphores : public Seed {
 public:
  static Result<std::unique_ptr<Semaphores>> Plant();
  ~Semaphores() override;
  void Tell(std::vector<Marker>& markers) const override;
  Status Look(std::vector<Finding>& findings) override;

 private:
  key_t key_ = 0;
  int id_ = -1, value_ = 0;
};

class Messages : public Seed {
 public:
  static Result<std::unique_ptr<Messages>> Plant();
  ~Messages() override;
  void Tell(std::vector<Marker>& markers) const override;
  Status Look(std::vector<Finding>& findings) override;

 private:
  key_t key_ = 0;
  int id_ = -1;
};

class PosixMemory : public Seed {
 public:
  static Result<std::unique_ptr<PosixMemory>> Plant(const std::string& token);
  ~PosixMemory() override;
  void Tell(std::vector<Marker>& markers) const override;
  Status Look(std::vector<Finding>& findings) override;

 private:
  std::string name_, content_;
};

class PosixQueue : public Seed {
 public:
  static Result<std::unique_ptr<PosixQueue>> Plant(const std::string& token);
  ~PosixQueue() override;
  void Tell(std::vector<Marker>& markers) const override;
  Status Look(std::vector<Finding>& findings) override;

 private:
  std::string name_;
  Fd queue_;
};

}  // namespace kiste::bench
