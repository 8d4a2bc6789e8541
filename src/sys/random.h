// SPDX-License-Identifier: Apache-2.0
//
// Random bytes of the kernel (getrandom(2)).
#pragma once

#include <cstddef>

#include "base/result.h"

namespace kiste::sys {

Status FillRandom(void* bytes, size_t size);

}  // namespace kiste::sys
