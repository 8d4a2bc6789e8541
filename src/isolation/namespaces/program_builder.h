// SPDX-License-Identifier: Apache-2.0
//
// Builds the launcher's program (launcher/operations.h): one block of bytes with the operations,
// their texts and arrays, and beside it the words with which a failure of each is told.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "isolation/namespaces/launcher/operations.h"

namespace kiste::isolation {

class ProgramBuilder {
 public:
  ProgramBuilder();

  launcher::Offset Text(std::string_view text);  // "" is 0
  template <typename T>
  launcher::Offset Data(std::span<const T> values) {
    return Append(std::as_bytes(values), alignof(T));
  }
  template <typename T>
  launcher::Offset Data(const std::vector<T>& values) {
    return Data(std::span<const T>(values));
  }
  template <typename T>
  launcher::Offset Struct(const T& value) {
    return Data(std::span<const T>(&value, 1));
  }
  launcher::Offset Space(size_t bytes);                              // zeroed
  launcher::Offset TextList(const std::vector<std::string>& texts);  // u32 offsets
  // Pointers for execve: u64 offsets with a 0 behind; `extra` is one more that is in place already.
  launcher::Offset Pointers(const std::vector<std::string>& texts, launcher::Offset extra = 0);

  // Adds an operation; `words` say what was being done, for errors: "mount proc on /proc".
  void Add(launcher::Operation operation, std::string words);
  // A descriptor that the launcher inherits.
  int Inherit(int fd) {
    inherited_.push_back(fd);
    return fd;
  }

  // The finished block. `channel` and `proc` are inherited too.
  std::string Finish(int channel, int proc);
  const std::vector<int>& inherited() const { return inherited_; }
  const std::vector<std::string>& words() const { return words_; }
  size_t size() const { return operations_.size(); }

 private:
  launcher::Offset Append(std::span<const std::byte> bytes, size_t alignment);

  std::string block_;
  std::vector<launcher::Operation> operations_;
  std::vector<std::string> words_;
  std::vector<int> inherited_;
};

}  // namespace kiste::isolation
