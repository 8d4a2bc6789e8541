// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/layout.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace kiste::sys::cgroup {
namespace {

constexpr char kHybridCgroup[] =
    "12:name=systemd:/\n"
    "4:memory:/outer/inner\n"
    "2:cpu,cpuacct:/outer\n"
    "0::/init.scope\n";
constexpr char kHybridMountinfo[] =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 /outer /sys/fs/cgroup/mem\\040ory rw - cgroup cgroup rw,memory\n"
    "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw shared:1 master:2 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST(LayoutTest, FindsEveryHierarchyOfAHybridHost) {
  Layout layout = Parse(kHybridCgroup, kHybridMountinfo);
  EXPECT_EQ(layout.kind, Kind::kHybrid);
  ASSERT_EQ(layout.hierarchies.size(), 4u);

  const Hierarchy* cpu = layout.FindV1("cpuacct");
  ASSERT_NE(cpu, nullptr);
  EXPECT_EQ(cpu, layout.FindV1("cpu"));
  EXPECT_EQ(cpu->mount_point, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(cpu->own, "/outer");

  ASSERT_NE(layout.FindV1("name=systemd"), nullptr);
  EXPECT_EQ(layout.FindV1("name=systemd")->own, "/");
  ASSERT_NE(layout.FindV2(), nullptr);
  EXPECT_EQ(layout.FindV2()->mount_point, "/sys/fs/cgroup/unified");
  EXPECT_EQ(layout.FindV2()->own, "/init.scope");
  EXPECT_EQ(layout.FindV1("pids"), nullptr);
}

TEST(LayoutTest, OwnPathIsSeenThroughTheMount) {
  Layout layout = Parse(kHybridCgroup, kHybridMountinfo);
  const Hierarchy* memory = layout.FindV1("memory");
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->mount_point, "/sys/fs/cgroup/mem ory");
  EXPECT_EQ(memory->own, "/inner");  // the mount shows /outer as its root

  constexpr char kMount[] = "35 31 0:32 /outer /cg rw - cgroup cgroup rw,memory\n";
  EXPECT_EQ(Parse("4:memory:/outer\n", kMount).hierarchies.at(0).own, "/");
  EXPECT_EQ(Parse("4:memory:/outermost\n", kMount).hierarchies.at(0).own, "");
  EXPECT_EQ(Parse("4:memory:/elsewhere\n", kMount).hierarchies.at(0).own, "");
}

TEST(LayoutTest, KindFollowsFromWhatIsMounted) {
  EXPECT_EQ(Parse("4:memory:/\n", "35 31 0:32 / /cg rw - cgroup cgroup rw,memory\n").kind,
            Kind::kV1);
  EXPECT_EQ(Parse("0::/\n", "35 31 0:32 / /cg rw - cgroup2 cgroup2 rw\n").kind, Kind::kV2);
  EXPECT_EQ(Parse("4:memory:/\n0::/\n", "").kind, Kind::kNone);
  EXPECT_EQ(Parse("", kHybridMountinfo).kind, Kind::kNone);
}

TEST(LayoutTest, TheFirstMountOfAHierarchyCounts) {
  Layout layout = Parse("4:memory:/\n",
                        "35 31 0:32 / /first rw - cgroup cgroup rw,memory\n"
                        "36 31 0:32 / /second rw - cgroup cgroup rw,memory\n");
  ASSERT_EQ(layout.hierarchies.size(), 1u);
  EXPECT_EQ(layout.hierarchies[0].mount_point, "/first");
}

TEST(LayoutTest, DamagedLinesArePassedOver) {
  Layout layout =
      Parse("nonsense\n4:memory\n4:memory:/a\n",
            " - cgroup\n1 2 - cgroup cgroup rw,memory\n35 31 0:32 / /cg rw - cgroup cgroup\n"
            "35 31 0:32 / /cg rw - cgroup cgroup rw,memoryless\n");
  EXPECT_EQ(layout.kind, Kind::kNone);
}

TEST(LayoutTest, DetectsThisHost) {
  auto layout = Detect();
  ASSERT_TRUE(layout) << layout.error().Text();
  if (layout->kind == Kind::kNone) GTEST_SKIP() << "no cgroup file system is mounted here";
  for (const auto& hierarchy : layout->hierarchies) {
    ASSERT_FALSE(hierarchy.controllers.empty());
    struct stat status{};
    EXPECT_EQ(stat((hierarchy.mount_point + "/cgroup.procs").c_str(), &status), 0)
        << hierarchy.mount_point;
    EXPECT_EQ(stat((hierarchy.mount_point + hierarchy.own).c_str(), &status), 0);
  }
}

}  // namespace
}  // namespace kiste::sys::cgroup
