// SPDX-License-Identifier: Apache-2.0
//
// The launcher's ELF file, carried inside this program: it is run from a sealed memory file, so
// that a container never holds a reference to a file of the host (CVE-2019-5736).
#pragma once

#include <cstddef>
#include <span>

namespace kiste::isolation {

std::span<const std::byte> LauncherImage();

}  // namespace kiste::isolation
