// SPDX-License-Identifier: Apache-2.0
//
// linux.intelRdt (config-linux.md, "IntelRdt"): the container's group in resctrl. What is made is
// written down in the record first, so that `delete` finds it; what was there before stays.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "oci/config.h"
#include "runtime/record.h"
#include "sys/resctrl.h"

namespace kiste::runtime {

// Fills in the record's RdtGroups: nothing is made. kUnsupported for what the hardware lacks.
Status PlanRdt(const sys::Resctrl& resctrl, const oci::IntelRdt& wanted, Record& record);
// Makes the groups and writes the schemata; kNotFound when closID names a class that somebody else
// was to prepare and did not, kExists when its schemata differ from what is wanted.
Status MakeRdt(const sys::Resctrl& resctrl, const oci::IntelRdt& wanted, const RdtGroups& groups);
// Into the groups, if there are any.
Status JoinRdt(const RdtGroups& groups, pid_t pid);
// New lines for a group, as `update` has them.
Status UpdateRdt(const sys::Resctrl& resctrl, const oci::IntelRdt& wanted, const RdtGroups& groups);
// What `events` tells of the groups, as far as the hardware has it.
struct RdtStats {
  struct Cache {
    std::string cbm_mask;
    uint64_t min_cbm_bits = 0, num_closids = 0;
    std::string root_schema, schema;  // of the default class and of the container's
  };
  struct Bandwidth {
    uint64_t gran = 0, delay_linear = 0, min_bandwidth = 0, num_closids = 0;
    std::string root_schema, schema;
  };
  std::optional<Cache> cache;
  std::optional<Bandwidth> bandwidth;
  bool counts_bandwidth = false, counts_occupancy = false;
  std::vector<sys::ResctrlCounters> domains;
};
Result<RdtStats> ReadRdtStats(const sys::Resctrl& resctrl, const RdtGroups& groups);
// Removes what was made; a group of somebody else's stays.
Status RemoveRdt(const RdtGroups& groups);

}  // namespace kiste::runtime
