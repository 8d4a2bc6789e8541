// SPDX-License-Identifier: Apache-2.0
//
// What `update` makes of a container's resources.
#pragma once

#include "oci/config.h"

namespace kiste::oci {

// `base` changed by `given`: what is not given stays, as in runc. Entries of lists are told apart
// by their device, page size, interface or file, and replaced or added. The list of devices, whose
// order decides, is replaced as a whole.
Resources MergeResources(Resources base, const Resources& given);

}  // namespace kiste::oci
