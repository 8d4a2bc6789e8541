// SPDX-License-Identifier: Apache-2.0
//
// What the machine is on which a run is measured: whoever reads a figure wants to know.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace kiste::bench {

using HostFacts = std::vector<std::pair<std::string, std::string>>;

// Key and value: kernel, processor, mitigations, cgroups … What cannot be read is left out.
// `folder` is where the run's files are.
HostFacts DescribeHost(const std::string& folder);

}  // namespace kiste::bench
