// SPDX-License-Identifier: Apache-2.0
#include "runtime/surface.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>

#include <algorithm>

namespace kiste::runtime {

namespace {

using Kind = SurfaceMount::Kind;

SurfaceGroup Group(const SurfaceFacts& facts, const std::string& name) {
  auto groups = ScoreSurface(facts).value();
  for (auto& group : groups) {
    if (group.name == name) return group;
  }
  ADD_FAILURE() << "no group " << name;
  return {};
}

// "name" of what is open, "(name)" of what is open in part.
std::vector<std::string> Items(const SurfaceFacts& facts, const std::string& name) {
  std::vector<std::string> items;
  for (const auto& item : Group(facts, name).items)
    items.push_back(item.openness == Openness::kOpen ? item.name : "(" + item.name + ")");
  return items;
}

using Names = std::vector<std::string>;

}  // namespace

TEST(Surface, NothingOpenScoresNothing) {
  SurfaceFacts facts;
  facts.filtered = true;
  facts.seccomp.emplace().default_action = "SCMP_ACT_KILL_PROCESS";
  facts.root_is_unprivileged = facts.no_new_privileges = facts.confined = true;
  auto groups = ScoreSurface(facts).value();
  for (const auto& group : groups) {
    EXPECT_EQ(group.score, 0) << group.name;
    EXPECT_TRUE(group.items.empty()) << group.name;
  }
}

TEST(Surface, AllOpenScoresAHundred) {
  SurfaceFacts facts;
  facts.shared_namespaces = -1;
  facts.capabilities = ~uint64_t{0};
  facts.mounts = {{"/", "bind", "/", false, Kind::kMount},
                  {"/d", "bind", "/etc", false, Kind::kMount}};
  facts.device_rules = {{.allow = true}};
  auto groups = ScoreSurface(facts).value();
  for (const auto& group : groups) {
    EXPECT_GE(group.score, group.name == "kernel-interfaces" ? 90 : 100) << group.name;
  }
}

TEST(Surface, CapabilitiesOfAnOwnUserNamespaceCountHalf) {
  SurfaceFacts facts;
  facts.capabilities = uint64_t{1} << CAP_SYS_ADMIN;
  facts.shared_namespaces = CLONE_NEWUSER;
  EXPECT_EQ(Items(facts, "capabilities"), Names{"CAP_SYS_ADMIN"});
  int whole = Group(facts, "capabilities").score;
  facts.shared_namespaces = 0;
  EXPECT_EQ(Items(facts, "capabilities"), Names{"(CAP_SYS_ADMIN)"});
  EXPECT_LT(Group(facts, "capabilities").score, whole);
}

TEST(Surface, MasksAndReadonlyPathsClose) {
  SurfaceFacts facts;
  facts.mounts = {{"/proc", "proc", "", false, Kind::kMount}};
  auto open = Items(facts, "kernel-interfaces");
  EXPECT_NE(std::ranges::find(open, "/proc/sys"), open.end());
  EXPECT_NE(std::ranges::find(open, "/proc/kcore"), open.end());
  for (const char* path :
       {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"})
    facts.mounts.push_back({path, "", "", true, Kind::kReadonly});
  for (const char* path : {"/proc/kcore", "/proc/acpi", "/proc/scsi", "/proc/keys",
                           "/proc/timer_list", "/proc/sched_debug"})
    facts.mounts.push_back({path, "", "", true, Kind::kMask});
  EXPECT_EQ(Items(facts, "kernel-interfaces"), Names{"/proc/latency_stats"});
}

TEST(Surface, ReadonlyDoesNotCloseWhatReadingOpens) {
  SurfaceFacts facts;
  facts.mounts = {{"/sys", "sysfs", "", true, Kind::kMount}};
  EXPECT_EQ(Items(facts, "kernel-interfaces"), Names{"/sys/firmware"});
}

TEST(Surface, AMountOverAnotherHidesIt) {
  SurfaceFacts facts;
  facts.mounts = {{"/sys", "sysfs", "", false, Kind::kMount},
                  {"/sys/fs/cgroup", "cgroup2", "", true, Kind::kMount},
                  {"/sys", "tmpfs", "", false, Kind::kMount}};
  EXPECT_EQ(Items(facts, "kernel-interfaces"), Names{});
}

TEST(Surface, ABindOfTheHostsRootBringsItsInterfaces) {
  SurfaceFacts facts;
  facts.mounts = {{"/host", "bind", "/", false, Kind::kMount}};
  auto open = Items(facts, "kernel-interfaces");
  for (const char* path : {"/host/proc/sys", "/host/sys", "/host/sys/fs/cgroup"})
    EXPECT_NE(std::ranges::find(open, path), open.end()) << path;
  EXPECT_EQ(Items(facts, "host-paths"), Names{"/ at /host"});
}

TEST(Surface, InterfacesAreOpenInPartToWhoIsNotTheHostsRoot) {
  SurfaceFacts facts;
  facts.mounts = {{"/cg", "cgroup2", "", false, Kind::kMount}};
  EXPECT_EQ(Items(facts, "kernel-interfaces"), Names{"/cg"});
  facts.root_is_unprivileged = true;
  EXPECT_EQ(Items(facts, "kernel-interfaces"), Names{"(/cg)"});
}

TEST(Surface, ADeviceRuleOpensWhatCanHaveANode) {
  SurfaceFacts facts;
  facts.device_rules = {{.allow = false}, {.allow = true, .type = 'b', .major = 8, .minor = 0}};
  EXPECT_EQ(Items(facts, "devices"), Names{});
  facts.shared_namespaces = CLONE_NEWUSER;
  facts.capabilities = uint64_t{1} << CAP_MKNOD;
  EXPECT_EQ(Items(facts, "devices"), Names{"b 8:0"});
  facts.device_rules.push_back({.allow = false});
  EXPECT_EQ(Items(facts, "devices"), Names{});
  facts.devices = {{.path = "/dev/fuse", .type = 'c', .major = 10, .minor = 229}};
  EXPECT_EQ(Items(facts, "devices"), Names{"c 10:229"});
}

TEST(Surface, TheRuntimesOwnDevicesAndMknodAloneOpenNothing) {
  SurfaceFacts facts;
  facts.shared_namespaces = CLONE_NEWUSER;
  facts.capabilities = uint64_t{1} << CAP_MKNOD;
  facts.device_rules = {{.allow = true, .type = 'c', .major = 1, .minor = 3},
                        {.allow = true, .type = 'c', .access = "m"}};
  EXPECT_EQ(Items(facts, "devices"), Names{});
}

TEST(Surface, AReadonlyHostPathIsOpenInPart) {
  SurfaceFacts facts;
  facts.mounts = {{"/data", "bind", "/srv/data", true, Kind::kMount},
                  {"/etc/hosts", "bind", "/srv/hosts", false, Kind::kMount}};
  EXPECT_EQ(Items(facts, "host-paths"),
            (Names{"(/srv/data at /data)", "/srv/hosts at /etc/hosts"}));
}

TEST(Surface, OpensMoreIsWhatTheSecondAddsOrWidens) {
  std::vector<SurfaceGroup> first = {{"a", 10, {{"x", Openness::kPartly}, {"y", Openness::kOpen}}},
                                     {"b", 5, {{"z", Openness::kOpen}}}};
  std::vector<SurfaceGroup> second = {{"a", 30, {{"x", Openness::kOpen}, {"y", Openness::kPartly}}},
                                      {"b", 0, {}}};
  auto more = OpensMore(first, second);
  ASSERT_EQ(more.size(), 1u);
  EXPECT_EQ(more[0].name, "a");
  EXPECT_EQ(more[0].score, 20);
  ASSERT_EQ(more[0].items.size(), 1u);
  EXPECT_EQ(more[0].items[0].name, "x");
  EXPECT_TRUE(OpensMore(first, first).empty());
}

TEST(Surface, AProcessIsWhatItsTextsSay) {
  SurfaceFacts facts;
  facts.mounts = {{"/data", "bind", "/srv/data", false, Kind::kMount}};
  AddProcessTexts(
      "Name:\tSeccomp: 2\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000020\nCapBnd:\t"
      "0000000000000021\nNoNewPrivs:\t0\nSeccomp:\t2\n",
      "         0     100000      65536\n",
      "40 30 0:40 / / ro,relatime - overlay overlay rw\n"
      "41 40 8:1 /srv/data /data rw - ext4 /dev/sda1 rw\n",
      facts);
  EXPECT_TRUE(facts.filtered);
  EXPECT_FALSE(facts.no_new_privileges);
  EXPECT_EQ(facts.capabilities, 0x21u);
  EXPECT_TRUE(facts.root_is_unprivileged);
  ASSERT_EQ(facts.mounts.size(), 2u);
  EXPECT_TRUE(facts.mounts[0].readonly);
  EXPECT_EQ(facts.mounts[1].source, "/srv/data");
  EXPECT_TRUE(facts.mounts[1].part);
}

TEST(Surface, WithNoNewPrivilegesAProcessGetsNoMoreThanItHolds) {
  SurfaceFacts facts;
  AddProcessTexts("CapPrm:\t20\nCapBnd:\t21\nNoNewPrivs:\t1\nSeccomp:\t0\n", "0 0 4294967295\n", "",
                  facts);
  EXPECT_FALSE(facts.filtered);
  EXPECT_EQ(facts.capabilities, 0x20u);
  EXPECT_FALSE(facts.root_is_unprivileged);
}

}  // namespace kiste::runtime
