// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <linux/mount.h>
#include <sched.h>

#include "runtime/plan.h"

namespace kiste::runtime {
namespace {

oci::Config Delegating() {
  oci::Config config;
  config.process.emplace().user.uid = 3;
  config.linux.namespaces = {{CLONE_NEWCGROUP, ""}, {CLONE_NEWUSER, ""}};
  config.linux.uid_mappings = {{0, 1000, 2}, {2, 5000, 10}};
  oci::Mount mount;
  mount.destination = "/sys/fs/cgroup/";
  mount.type = mount.source = "cgroup";
  config.mounts.push_back(mount);
  return config;
}

TEST(CgroupOwner, IsTheContainersUserAsTheHostSeesIt) {
  auto config = Delegating();
  EXPECT_EQ(CgroupOwner(config), 5001u);
  config.linux.namespaces.pop_back();
  EXPECT_EQ(CgroupOwner(config), 3u);
}

TEST(CgroupOwner, IsNobodyUnlessAllConditionsHold) {
  auto config = Delegating();
  config.mounts[0].attr_set = MOUNT_ATTR_RDONLY;
  EXPECT_FALSE(CgroupOwner(config));
  config = Delegating();
  config.mounts[0].source = "cgroup2";
  EXPECT_FALSE(CgroupOwner(config));
  config = Delegating();
  config.linux.namespaces[0].path = "/proc/1/ns/cgroup";
  EXPECT_FALSE(CgroupOwner(config));
  config = Delegating();
  config.linux.namespaces.erase(config.linux.namespaces.begin());
  EXPECT_FALSE(CgroupOwner(config));
  config = Delegating();
  config.process->user.uid = 99;
  EXPECT_FALSE(CgroupOwner(config));
}

}  // namespace
}  // namespace kiste::runtime
