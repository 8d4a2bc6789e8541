// SPDX-License-Identifier: Apache-2.0
//
// The environment that the runtime adds to the process's own.
#pragma once

#include <string>
#include <vector>

namespace kiste::runtime {

// Hands over what the service manager passed to the runtime (sd_listen_fds(3)): when LISTEN_FDS is
// set and its descriptors are among the preserved ones, the payload gets LISTEN_FDS and
// LISTEN_PID=1.
void AddListenFds(unsigned preserve_fds, std::vector<std::string>& env);
// How many descriptors LISTEN_FDS announces to this process; 0 when there are none.
unsigned AnnouncedListenFds();

}  // namespace kiste::runtime
