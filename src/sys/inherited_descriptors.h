// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"

namespace kiste::sys {

// To be called first in a program. Descriptors 0 to 2 that are closed become /dev/null: otherwise
// the next file that is opened would be somebody's standard stream. All others that came from the
// caller are closed for programs that this one starts, unless it hands them on by itself.
Status TidyInheritedDescriptors();

}  // namespace kiste::sys
