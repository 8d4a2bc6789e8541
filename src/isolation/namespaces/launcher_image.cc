// SPDX-License-Identifier: Apache-2.0
#include "isolation/namespaces/launcher_image.h"

// KISTE_LAUNCHER_FILE is the built launcher (CMakeLists.txt).
__asm__(
    ".section .rodata\n"
    ".balign 16\n"
    "kiste_launcher_begin:\n"
    ".incbin \"" KISTE_LAUNCHER_FILE
    "\"\n"
    "kiste_launcher_end:\n"
    ".previous\n");

extern "C" {
extern const std::byte kiste_launcher_begin[];
extern const std::byte kiste_launcher_end[];
}

namespace kiste::isolation {

std::span<const std::byte> LauncherImage() {
  return {kiste_launcher_begin, static_cast<size_t>(kiste_launcher_end - kiste_launcher_begin)};
}

}  // namespace kiste::isolation
