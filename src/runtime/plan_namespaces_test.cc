// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "runtime/plan.h"

namespace kiste::runtime {

namespace {

constexpr Caller kRoot{};
constexpr Caller kUser{.uid = 1000, .gid = 100, .rootless = true};

oci::Config WithNamespaces(std::vector<oci::Namespace> namespaces) {
  oci::Config config;
  config.linux.namespaces = std::move(namespaces);
  config.linux.uid_mappings = {{0, 1000, 1}};
  config.linux.gid_mappings = {{0, 100, 1}};
  return config;
}

}  // namespace

TEST(PlanNamespaces, NewOnesAreCollected) {
  auto plan = PlanNamespaces(WithNamespaces({{CLONE_NEWPID, ""}, {CLONE_NEWNET, ""}}), kRoot);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->create, CLONE_NEWPID | CLONE_NEWNET);
  EXPECT_TRUE(plan->join.empty());
  EXPECT_TRUE(plan->bring_loopback_up);
  EXPECT_TRUE(plan->uid_map.empty());  // there is no new user namespace to map
  EXPECT_FALSE(PlanNamespaces(WithNamespaces({{CLONE_NEWPID, ""}}), kRoot)->bring_loopback_up);
}

TEST(PlanNamespaces, JoinedOnesUserFirst) {
  auto plan = PlanNamespaces(WithNamespaces({{CLONE_NEWNET, "/proc/self/ns/net"},
                                             {CLONE_NEWUTS, "/proc/self/ns/uts"},
                                             {CLONE_NEWUSER, "/proc/self/ns/user"}}),
                             kRoot);
  ASSERT_TRUE(plan) << plan.error().Text();
  ASSERT_EQ(plan->join.size(), 3u);
  EXPECT_EQ(plan->join[0].flags, CLONE_NEWUSER);
  EXPECT_EQ(plan->join[1].flags, CLONE_NEWNET);
  EXPECT_EQ(plan->join[1].path, "/proc/self/ns/net");
  EXPECT_TRUE(plan->join[2].fd.valid());
  EXPECT_TRUE(plan->become_root);
  EXPECT_FALSE(plan->bring_loopback_up);  // it is somebody else's
  EXPECT_EQ(plan->create, 0);
}

TEST(PlanNamespaces, PathsMustBeNamespacesOfTheirKind) {
  auto wrong = PlanNamespaces(WithNamespaces({{CLONE_NEWNET, "/proc/self/ns/uts"}}), kRoot);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(wrong.error().Text().find("expected a namespace of type network, found one of another"),
            std::string::npos)
      << wrong.error().Text();
  auto none = PlanNamespaces(WithNamespaces({{CLONE_NEWNET, "/dev/null"}}), kRoot);
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().Text().find("found no namespace"), std::string::npos);
  auto missing = PlanNamespaces(WithNamespaces({{CLONE_NEWNET, "/no/such"}}), kRoot);
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().Text().starts_with("linux.namespaces: open /no/such: "));
}

TEST(PlanNamespaces, OrdinaryUsersNeedAUserNamespace) {
  auto plan = PlanNamespaces(WithNamespaces({{CLONE_NEWPID, ""}}), kUser);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(PlanNamespaces(WithNamespaces({{CLONE_NEWUSER, ""}}), kUser));
}

TEST(PlanNamespaces, RootMustBeMapped) {
  auto config = WithNamespaces({{CLONE_NEWUSER, ""}});
  config.linux.gid_mappings = {{1, 100, 1}};
  EXPECT_EQ(PlanNamespaces(config, kRoot).error().kind, ErrorKind::kInvalid);
  config.linux.gid_mappings.clear();
  EXPECT_FALSE(PlanNamespaces(config, kRoot));
}

TEST(PlanNamespaces, WhoWritesTheMaps) {
  auto config = WithNamespaces({{CLONE_NEWUSER, ""}});
  auto self = PlanNamespaces(config, kUser).value();
  EXPECT_TRUE(self.deny_setgroups);
  EXPECT_FALSE(self.use_newidmap);
  EXPECT_EQ(self.uid_map.size(), 1u);
  config.linux.uid_mappings.push_back({1, 100000, 65536});
  auto helped = PlanNamespaces(config, kUser).value();
  EXPECT_TRUE(helped.use_newidmap);
  EXPECT_FALSE(helped.deny_setgroups);
  auto root = PlanNamespaces(config, kRoot).value();
  EXPECT_FALSE(root.use_newidmap || root.deny_setgroups);
  EXPECT_EQ(root.uid_map.size(), 2u);
}

TEST(PlanNamespaces, TimeOffsetsAsTheKernelReadsThem) {
  auto config = WithNamespaces({{CLONE_NEWTIME, ""}});
  config.linux.time_offsets = {{"boottime", {-5, 7}}, {"monotonic", {86400, 0}}};
  EXPECT_EQ(PlanNamespaces(config, kRoot)->time_offsets, "boottime -5 7\nmonotonic 86400 0\n");
}

TEST(CurrentCaller, IsThisProcess) {
  Caller caller = CurrentCaller();
  EXPECT_EQ(caller.uid, geteuid());
  EXPECT_EQ(caller.gid, getegid());
  EXPECT_TRUE(geteuid() == 0 || caller.rootless);
}

}  // namespace kiste::runtime
