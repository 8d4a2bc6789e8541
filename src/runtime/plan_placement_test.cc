// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <linux/mempolicy.h>

#include "runtime/plan.h"

namespace kiste::runtime {

using Bits = std::vector<uint64_t>;

TEST(PlanMemoryPolicy, ModeFlagsAndNodes) {
  oci::Linux part;
  isolation::ProcessPlan plan;
  PlanMemoryPolicy(part, plan);
  EXPECT_FALSE(plan.memory_policy);
  part.memory_policy = oci::MemoryPolicy{"MPOL_BIND", "0,65", {"MPOL_F_STATIC_NODES"}};
  PlanMemoryPolicy(part, plan);
  EXPECT_EQ(plan.memory_policy->mode, MPOL_BIND | MPOL_F_STATIC_NODES);
  EXPECT_EQ(plan.memory_policy->nodes, (Bits{1, 2}));
}

TEST(PlanMemoryPolicy, EveryModeOfTheSpecification) {
  const std::pair<const char*, uint32_t> modes[] = {
      {"MPOL_DEFAULT", 0},   {"MPOL_PREFERRED", 1},      {"MPOL_BIND", 2},
      {"MPOL_LOCAL", 4},     {"MPOL_PREFERRED_MANY", 5}, {"MPOL_WEIGHTED_INTERLEAVE", 6},
      {"MPOL_INTERLEAVE", 3}};
  for (const auto& [name, number] : modes) {
    oci::Linux part;
    part.memory_policy = oci::MemoryPolicy{name, "", {}};
    isolation::ProcessPlan plan;
    PlanMemoryPolicy(part, plan);
    EXPECT_EQ(plan.memory_policy->mode, number) << name;
    EXPECT_TRUE(plan.memory_policy->nodes.empty());
  }
}

TEST(PlanExecAffinity, BeforeAndAfterTheCgroup) {
  oci::Process process;
  isolation::ProcessPlan plan;
  PlanExecAffinity(process, plan);
  EXPECT_TRUE(plan.initial_cpus.empty() && plan.final_cpus.empty());
  process.exec_cpu_affinity = oci::ExecCpuAffinity{"0", "0-1"};
  PlanExecAffinity(process, plan);
  EXPECT_EQ(plan.initial_cpus, Bits{1});
  EXPECT_EQ(plan.final_cpus, Bits{3});
}

}  // namespace kiste::runtime
