// SPDX-License-Identifier: Apache-2.0
//
// Which top directory of the kernel's source a function is from: arch, kernel, mm, fs, ipc,
// security, crypto, block, io-uring, lib, drivers, net, init. A module is its
// name with "module-" in front.
//
// The kernel is linked directory after directory in the order of its Makefiles, so its text is a
// row of ranges with one directory each (Linux 6.1 on x86: arch, kernel, mm, fs, ipc, security,
// crypto, block, io_uring, lib, drivers, net), and its end some short ones more (what may not be
// traced, the scheduler, locks). Where the ranges lie in this very kernel is told by anchors:
// functions whose file is known (anchors.cc). A function belongs to the nearer of the anchors
// before and after it. Of 37,000 functions of Debian's Linux 6.1 whose directory is certain by the
// source and that are no anchors, 99.8 % are found in it; other versions lose what anchors they do
// not have any more.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bench/kernel/symbols.h"

namespace kiste::bench {

// A name as metrics have it: without the letter "_".
std::string InMetric(std::string_view name);

class Subsystems {
 public:
  explicit Subsystems(const Symbols& symbols);
  // Of the function with this place in symbols.functions().
  const std::string& Of(int function) const { return names_[static_cast<size_t>(function)]; }

 private:
  std::vector<std::string> names_;
};

}  // namespace kiste::bench
