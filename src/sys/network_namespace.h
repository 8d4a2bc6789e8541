// SPDX-License-Identifier: Apache-2.0
//
// A network namespace without processes (unshare(2), network_namespaces(7)).
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::sys {

// Makes one with its loopback device up, and binds it to the file `path`, by which others find it.
// This thread is in there meanwhile, and back in its own when this returns.
Result<Fd> MakeNetworkNamespace(const std::string& path);

}  // namespace kiste::sys
