// SPDX-License-Identifier: Apache-2.0
#include "runtime/external.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "base/strings.h"

namespace kiste::runtime {

namespace fs = std::filesystem;

namespace {

oci::Mount Bind(const std::string& source, const std::string& destination) {
  oci::Mount mount;
  mount.bind = true;
  mount.source = source;
  mount.destination = destination;
  return mount;
}

oci::Mount Tmpfs(const std::string& destination) {
  oci::Mount mount;
  mount.type = mount.source = "tmpfs";
  mount.destination = destination;
  return mount;
}

std::vector<ExternalMount> MountsOfConfig(const oci::Config& config) {
  sys::cgroup::Layout layout;
  Caller caller;
  auto mounts = ExternalMounts(
      {.config = config, .bundle = "/bundle", .rootfs = "/r", .layout = layout, .caller = caller});
  EXPECT_TRUE(mounts) << mounts.error().Text();
  return mounts ? *mounts : std::vector<ExternalMount>();
}

class MountPoints : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/kiste-points-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    folder_ = pattern;
    fs::create_directories(folder_ / "rootfs");
    fs::create_directories(folder_ / "data");
  }
  void TearDown() override { fs::remove_all(folder_); }
  Status Make() { return MakeMountPoints(config_, folder_ / "rootfs", folder_); }
  fs::path folder_;
  oci::Config config_;
};

}  // namespace

TEST(External, BindsAreLeftOutAndTmpfsIsNot) {
  oci::Config config;
  config.mounts = {Bind("/host/data", "data/"), Tmpfs("/tmp"), Bind("own", "/etc/own")};
  auto mounts = MountsOfConfig(config);
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[0].destination, "/data");
  EXPECT_EQ(mounts[0].source, "/host/data");
  EXPECT_EQ(mounts[1].source, "/bundle/own");
}

TEST(External, DevicesAreBindsInAUserNamespace) {
  oci::Config config;
  config.linux.namespaces = {{CLONE_NEWUSER, ""}};
  EXPECT_FALSE(MountsOfConfig(config).empty());
}

TEST(External, MaskedFilesStandForTheNullDevice) {
  oci::Config config;
  config.linux.masked_paths = {"/proc/keys"};
  auto named = MountsToBind({{"/data", "/host/data"}}, config);
  ASSERT_EQ(named.size(), 2U);
  EXPECT_EQ(named[0].value, "/host/data");
  EXPECT_EQ(named[1].key, "/dev/null");
}

TEST(External, NamespacesByPathHaveTheirOwnNames) {
  oci::Config config;
  config.linux.namespaces = {
      {CLONE_NEWNET, "/proc/self/ns/net"}, {CLONE_NEWPID, ""}, {CLONE_NEWIPC, "/proc/self/ns/ipc"}};
  auto external = NamespacesToLeaveOut(config, getpid());
  ASSERT_TRUE(external);
  ASSERT_EQ(external->size(), 1U);
  EXPECT_TRUE((*external)[0].starts_with("net["));
  EXPECT_TRUE((*external)[0].ends_with("]:extRootNetNS"));
  auto enter = OpenNamespaces(config);
  ASSERT_TRUE(enter);
  ASSERT_EQ(enter->inherited.size(), 1U);
  EXPECT_EQ(enter->inherited[0].key, "extRootNetNS");
  ASSERT_EQ(enter->joined.size(), 1U);
  EXPECT_EQ(enter->joined[0].kind, "ipc");
  config.linux.namespaces = {{CLONE_NEWCGROUP, "/proc/self/ns/cgroup"}};
  EXPECT_FALSE(OpenNamespaces(config));
}

TEST(External, OwnStreamsAreThree) { EXPECT_EQ(OwnStreams().size(), 3U); }

TEST_F(MountPoints, AreMadeAsTheSourceIs) {
  fs::create_directories(folder_ / "rootfs");
  config_.mounts = {Bind(folder_ / "data", "/a/b"), Bind("/etc/passwd", "/etc/passwd")};
  auto made = Make();
  ASSERT_TRUE(made) << made.error().Text();
  EXPECT_TRUE(fs::is_directory(folder_ / "rootfs/a/b"));
  EXPECT_TRUE(fs::is_regular_file(folder_ / "rootfs/etc/passwd"));
}

TEST_F(MountPoints, LieInWhatIsMountedBefore) {
  config_.mounts = {Bind(folder_ / "data", "/data"), Tmpfs("/data/sub"), Tmpfs("/data/sub/deep")};
  auto made = Make();
  ASSERT_TRUE(made) << made.error().Text();
  EXPECT_TRUE(fs::is_directory(folder_ / "data/sub"));
  EXPECT_FALSE(fs::exists(folder_ / "data/sub/deep"));
  EXPECT_FALSE(fs::exists(folder_ / "rootfs/data/sub"));
}

TEST_F(MountPoints, AMissingSourceIsAnError) {
  config_.mounts = {Bind("/nowhere/at/all", "/a")};
  EXPECT_FALSE(Make());
}

}  // namespace kiste::runtime
