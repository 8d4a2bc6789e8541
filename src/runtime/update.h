// SPDX-License-Identifier: Apache-2.0
//
// `update`: other limits for a container that exists.
#pragma once

#include <string>

#include "base/result.h"
#include "oci/config.h"
#include "runtime/plan.h"
#include "runtime/store.h"

namespace kiste::runtime {

enum class PidsZero { kLimit, kAsConfig };

struct UpdateRequest {
  std::string id;
  oci::Resources resources;  // what is given
  // Whether a pids limit of 0 is one, or means what the container's version of the specification
  // says: before 1.3, nothing.
  PidsZero pids_zero = PidsZero::kAsConfig;
  std::string l3_cache_schema, mem_bw_schema;  // lines for the container's group in resctrl
  Warn warn;
};

// Sets what is given and remembers it in the container's copy of config.json; the rest stays. When
// the kernel refuses, what had been in force is set again. kState for a container that has stopped.
// A list of devices stands, as at create, before the default ones, which stay allowed; an empty one
// is none, and so is the one that the container has. Where this user may set no devices, they are
// only remembered.
Status Update(const Store& store, UpdateRequest request);

// What has to be written for `given` when `merged` is what then is in force: `given` with those
// values beside it that the kernel wants to hear together.
oci::Resources ToWrite(oci::Resources given, const oci::Resources& merged);

}  // namespace kiste::runtime
