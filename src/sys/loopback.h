// SPDX-License-Identifier: Apache-2.0
//
// The loopback device of a network namespace (netdevice(7)), from outside of it.
#pragma once

#include "base/result.h"

namespace kiste::sys {

// Sets "lo" up in the network namespace `ns` (an open /proc/<pid>/ns/net). This thread is in there
// meanwhile, and back in its own when this returns.
Status BringLoopbackUp(int ns);

}  // namespace kiste::sys
