// SPDX-License-Identifier: Apache-2.0
//
// Functions of the kernel by the top directory of their file.
#pragma once

#include <span>

namespace kiste::bench {

struct Anchors {
  const char* directory;
  const char* functions;  // with spaces between them
};
std::span<const Anchors> KernelAnchors();

}  // namespace kiste::bench
