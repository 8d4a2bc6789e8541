// SPDX-License-Identifier: Apache-2.0
//
// The process's environment: what the configuration says, tidied, and what the runtime adds.
#pragma once

#include <string>
#include <vector>

namespace kiste::runtime {

// Each variable once, with the last value that it is given, in the order of the last ones. A HOME
// that ends up empty is left out, to be found like one that is not given. As runc does.
std::vector<std::string> TidyEnvironment(const std::vector<std::string>& env);

// This program's own, which is its caller's: of hooks on the host's files that name none.
std::vector<std::string> OwnEnvironment();

// Hands over what the service manager passed to the runtime (sd_listen_fds(3)): when LISTEN_FDS is
// set and its descriptors are among the preserved ones, the payload gets LISTEN_FDS and
// LISTEN_PID=1.
void AddListenFds(unsigned preserve_fds, std::vector<std::string>& env);
// How many descriptors LISTEN_FDS announces to this process, which LISTEN_PID names, as in runc;
// 0 when there are none.
unsigned AnnouncedListenFds();

}  // namespace kiste::runtime
