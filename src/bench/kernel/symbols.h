// SPDX-License-Identifier: Apache-2.0
//
// The functions of the running kernel, as /proc/kallsyms lists them. A function ends where the next
// one begins, so its size has the padding behind it. What has several names is one function, by the
// name listed first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kiste::bench {

struct KernelFunction {
  uint64_t address = 0, size = 0;
  std::string name;
  std::string module;  // "" for the kernel's own
};

class Symbols {
 public:
  // kUnsupported when the addresses are hidden (kptr_restrict).
  static Result<Symbols> Read();
  static Result<Symbols> Parse(std::string_view kallsyms);

  // By address.
  const std::vector<KernelFunction>& functions() const { return functions_; }
  // The function that an address lies in; -1 for none.
  int Find(uint64_t address) const;
  // Bytes of the kernel's own functions and of its modules'.
  uint64_t text() const { return text_; }
  // Between which addresses the kernel's own lie; 0 and UINT64_MAX where they are not listed.
  uint64_t text_start() const { return text_start_; }
  uint64_t text_end() const { return text_end_; }

 private:
  std::vector<KernelFunction> functions_;
  uint64_t text_ = 0, text_start_ = 0, text_end_ = UINT64_MAX;
};

}  // namespace kiste::bench
