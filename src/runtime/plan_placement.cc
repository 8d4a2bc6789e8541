// SPDX-License-Identifier: Apache-2.0
//
// On which cpus the process runs and from which nodes its memory comes.
#include <linux/mempolicy.h>

#include "oci/name_table.h"
#include "oci/number_list.h"
#include "runtime/plan.h"

namespace kiste::runtime {

namespace {

constexpr uint32_t kWeightedInterleave = 6;  // MPOL_WEIGHTED_INTERLEAVE, since Linux 6.9

constexpr oci::NameTable<uint32_t, 7> kModes = {{
    {"MPOL_DEFAULT", MPOL_DEFAULT},
    {"MPOL_BIND", MPOL_BIND},
    {"MPOL_INTERLEAVE", MPOL_INTERLEAVE},
    {"MPOL_WEIGHTED_INTERLEAVE", kWeightedInterleave},
    {"MPOL_PREFERRED", MPOL_PREFERRED},
    {"MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY},
    {"MPOL_LOCAL", MPOL_LOCAL},
}};

constexpr oci::NameTable<uint32_t, 3> kFlags = {{
    {"MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING},
    {"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
    {"MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES},
}};

}  // namespace

void PlanMemoryPolicy(const oci::Linux& linux, isolation::ProcessPlan& plan) {
  if (!linux.memory_policy) return;
  auto& policy = plan.memory_policy.emplace();
  policy.mode = oci::Find(kModes, linux.memory_policy->mode).value_or(MPOL_DEFAULT);
  for (const auto& flag : linux.memory_policy->flags)
    policy.mode |= oci::Find(kFlags, flag).value_or(0);
  policy.nodes = oci::NumberListBits(linux.memory_policy->nodes);
}

void PlanExecAffinity(const oci::Process& process, isolation::ProcessPlan& plan) {
  if (!process.exec_cpu_affinity) return;
  plan.initial_cpus = oci::NumberListBits(process.exec_cpu_affinity->initial);
  plan.final_cpus = oci::NumberListBits(process.exec_cpu_affinity->final);
}

}  // namespace kiste::runtime
