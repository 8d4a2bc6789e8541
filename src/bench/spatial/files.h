// SPDX-License-Identifier: Apache-2.0
//
// Planted files: a secret, a FIFO, an open pipe, and a variable of the environment.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "bench/spatial/seed.h"

namespace kiste::bench {

// A file that everybody may read and write who finds it.
class SecretFile : public Seed {
 public:
  static Result<std::unique_ptr<SecretFile>> Plant(const std::string& folder,
                                                   const std::string& token);
  ~SecretFile() override;
  void Tell(std::vector<Marker>& markers) const override;
  Status Look(std::vector<Finding>& findings) override;

 private:
  std::string path_, content_;
};

class NamedPipe : public Seed {
 public:
  static Result<std::unique_ptr<NamedPipe>> Plant(const std::string& folder);
  ~NamedPipe() override;
  void Tell(std::vector<Marker>& markers) const override;
  Status Look(std::vector<Finding>& findings) override;

 private:
  std::string path_;
  Fd reader_;
};

// A pipe whose writing end goes along into every program that is started from here, as a careless
// caller's would: a runtime is to close it before the sandbox's program begins.
class OpenPipe : public Seed {
 public:
  static Result<std::unique_ptr<OpenPipe>> Plant();
  void Tell(std::vector<Marker>& markers) const override;
  Status Look(std::vector<Finding>& findings) override;

 private:
  Fd reader_, writer_;
  ino_t inode_ = 0;
};

// A variable that a runtime must not hand on.
class Variable : public Seed {
 public:
  static Result<std::unique_ptr<Variable>> Plant(const std::string& token);
  ~Variable() override;
  void Tell(std::vector<Marker>& markers) const override;
  Status Look(std::vector<Finding>& findings) override;
};

}  // namespace kiste::bench
