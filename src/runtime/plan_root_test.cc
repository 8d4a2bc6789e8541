// SPDX-License-Identifier: Apache-2.0
//
// Root, mounts, devices, cgroup mounts and sysctls (plan_root.cc, plan_devices.cc,
// plan_cgroup_mounts.cc).
#include <gtest/gtest.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>

#include "runtime/plan.h"

namespace kiste::runtime {

namespace {

struct Fixture {
  Fixture() { config.linux.namespaces = {{CLONE_NEWNS, ""}}; }
  Result<isolation::RootPlan> Plan() const {
    return PlanRoot({config, bundle, rootfs, layout, nullptr, caller, no_pivot,
                     [this](std::string_view text) { warnings.emplace_back(text); }});
  }
  oci::Mount& Add(const std::string& type, const std::string& destination) {
    oci::Mount mount;
    mount.type = mount.source = type;
    mount.destination = destination;
    mount.bind = type == "bind";
    return config.mounts.emplace_back(mount);
  }
  oci::Config config;
  std::string bundle = "/bundle", rootfs = "/bundle/rootfs";
  sys::cgroup::Layout layout;
  Caller caller;
  bool no_pivot = false;
  mutable std::vector<std::string> warnings;
};

const isolation::DeviceNode* FindDevice(const isolation::RootPlan& root, const std::string& path) {
  for (const auto& device : root.devices) {
    if (device.path == path) return &device;
  }
  return nullptr;
}

}  // namespace

TEST(PlanRoot, TakesOverWhatTheConfigurationSays) {
  Fixture given;
  given.config.root_readonly = true;
  given.no_pivot = true;
  given.config.linux.masked_paths = {"/m"};
  given.config.linux.readonly_paths = {"/r"};
  auto root = given.Plan().value();
  EXPECT_EQ(root.path, "/bundle/rootfs");
  EXPECT_TRUE(root.readonly && root.no_pivot && root.private_mounts);
  EXPECT_EQ(root.masked_paths, std::vector<std::string>{"/m"});
  EXPECT_EQ(root.readonly_paths, std::vector<std::string>{"/r"});
  EXPECT_FALSE(root.tree.valid());
}

TEST(PlanRoot, PropagationOfHostAndRoot) {
  struct Case {
    const char* word;
    uint32_t host, root;
  };
  const Case cases[] = {{"", MS_SLAVE, 0},
                        {"shared", MS_SHARED, MS_SHARED},
                        {"slave", MS_SLAVE, MS_SLAVE},
                        {"private", MS_PRIVATE, MS_PRIVATE},
                        {"unbindable", MS_SLAVE, MS_UNBINDABLE}};
  for (const auto& wanted : cases) {
    Fixture given;
    given.config.linux.rootfs_propagation = wanted.word;
    auto root = given.Plan().value();
    EXPECT_EQ(root.host_propagation, wanted.host | MS_REC) << wanted.word;
    EXPECT_EQ(root.propagation, wanted.root) << wanted.word;
  }
  Fixture given;
  given.config.linux.rootfs_propagation = "shared";
  given.config.linux.rootfs_propagation_recursive = true;
  EXPECT_EQ(given.Plan()->propagation, static_cast<uint32_t>(MS_SHARED | MS_REC));
}

TEST(PlanRoot, MountsWithoutAMountNamespaceLieOnAMountOfTheRoot) {
  Fixture given;
  EXPECT_TRUE(given.Plan()->own_mount);
  given.config.linux.namespaces.clear();
  EXPECT_FALSE(given.Plan()->private_mounts);
  EXPECT_FALSE(given.Plan()->own_mount);
  given.config.root_readonly = true;
  EXPECT_TRUE(given.Plan()->own_mount);
  given.config.root_readonly = false;
  given.Add("tmpfs", "/tmp");
  EXPECT_FALSE(given.Plan()->private_mounts);
  EXPECT_TRUE(given.Plan()->own_mount);
}

TEST(PlanRoot, DestinationsAndSourcesAreAbsolute) {
  Fixture given;
  given.Add("tmpfs", "relative/../x//");
  given.Add("bind", "/b").source = "data";
  given.Add("bind", "/c").source = "/host";
  auto root = given.Plan().value();
  EXPECT_EQ(root.mounts[0].mount.destination, "/x");
  EXPECT_EQ(root.mounts[1].mount.source, "/bundle/data");
  EXPECT_EQ(root.mounts[2].mount.source, "/host");
}

TEST(PlanRoot, BindsNeedASource) {
  Fixture given;
  given.Add("bind", "/b").source = "";
  EXPECT_EQ(given.Plan().error().Text(), "mounts[0].source: expected a path to bind");
}

TEST(PlanRoot, UnknownOptionsOfABindAreWarnedAbout) {
  Fixture given;
  given.Add("bind", "/b").source = "/host";
  given.config.mounts[0].data = "nocopy,Z,mode=755";
  EXPECT_TRUE(given.Plan());
  EXPECT_TRUE(given.warnings.empty());
  given.config.mounts[0].data = "z,roo";
  EXPECT_TRUE(given.Plan());
  EXPECT_EQ(given.warnings,
            std::vector<std::string>{
                "mounts[0].options: \"roo\" is no option of a bind mount (on /b): ignored"});
}

TEST(PlanRoot, ProcIsGuarded) {
  Fixture given;
  given.Add("proc", "/proc");
  given.Add("bind", "/proc/../proc/uptime").source = "/x";
  given.Add("bind", "/proc/sys/kernel").source = "/x";
  given.Add("sysfs", "/sys");
  given.Add("tmpfs", "/processes");
  auto root = given.Plan().value();
  EXPECT_TRUE(root.mounts[0].no_symlinks && root.mounts[0].inside_proc);
  EXPECT_TRUE(root.mounts[1].inside_proc && root.mounts[1].over_proc_allowed);
  EXPECT_TRUE(root.mounts[2].inside_proc);
  EXPECT_FALSE(root.mounts[2].over_proc_allowed);
  EXPECT_TRUE(root.mounts[3].no_symlinks);
  EXPECT_FALSE(root.mounts[3].inside_proc);
  EXPECT_FALSE(root.mounts[4].inside_proc);
}

TEST(PlanRoot, OnlyBindsAreIdMapped) {
  Fixture given;
  given.Add("tmpfs", "/t").idmap = true;
  given.config.mounts[0].uid_mappings = given.config.mounts[0].gid_mappings = {{0, 1, 1}};
  auto error = given.Plan().error();
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
  EXPECT_NE(error.Text().find("mounts[0]: only bind mounts"), std::string::npos) << error.Text();
}

TEST(PlanDevices, TheDefaultOnesAndTheLinks) {
  auto root = Fixture().Plan().value();
  for (const char* name :
       {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"}) {
    const auto* device = FindDevice(root, name);
    ASSERT_NE(device, nullptr) << name;
    EXPECT_EQ(device->mode, static_cast<mode_t>(S_IFCHR | 0666));
  }
  EXPECT_EQ(FindDevice(root, "/dev/null")->minor, 3u);
  for (const char* name : {"/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/ptmx"}) {
    EXPECT_TRUE(std::any_of(root.dev_links.begin(), root.dev_links.end(), [&](const auto& link) {
      return link.path == name;
    })) << name;
  }
  EXPECT_FALSE(root.bind_devices);
}

TEST(PlanDevices, OwnOnesReplaceTheDefaults) {
  Fixture given;
  oci::Device device;
  device.path = "/dev//null";
  device.type = 'b';
  device.major = 7;
  device.minor = 9;
  device.file_mode = 0100640;  // engines write the type's bits as well
  device.uid = 5;
  given.config.linux.devices.push_back(device);
  device.path = "/dev/ptmx";
  given.config.linux.devices.push_back(device);
  auto root = given.Plan().value();
  EXPECT_EQ(root.devices.size(), 6u);
  const auto* null = FindDevice(root, "/dev/null");
  ASSERT_NE(null, nullptr);
  EXPECT_EQ(null->mode, static_cast<mode_t>(S_IFBLK | 0640));
  EXPECT_EQ(null->major, 7u);
  EXPECT_EQ(null->uid, 5u);
  EXPECT_EQ(null->gid, 0u);
  EXPECT_EQ(FindDevice(root, "/dev/ptmx"), nullptr);
}

TEST(PlanDevices, OfSeveralWithOnePathTheLastStaysAtItsPlace) {
  Fixture given;
  oci::Device device;
  device.type = 'c';
  for (const char* path : {"/dev/a", "/dev/zero", "/dev/b", "/dev//a", "/dev/c", "/dev/./b"}) {
    device.path = path;
    ++device.minor;
    given.config.linux.devices.push_back(device);
  }
  auto root = given.Plan().value();
  std::vector<std::pair<std::string, uint32_t>> found;
  for (const auto& node : root.devices) found.emplace_back(node.path, node.minor);
  EXPECT_EQ(found, (std::vector<std::pair<std::string, uint32_t>>{{"/dev/null", 3},
                                                                  {"/dev/full", 7},
                                                                  {"/dev/random", 8},
                                                                  {"/dev/urandom", 9},
                                                                  {"/dev/tty", 0},
                                                                  {"/dev/zero", 2},
                                                                  {"/dev/a", 4},
                                                                  {"/dev/c", 5},
                                                                  {"/dev/b", 6}}));
}

TEST(PlanDevices, ListedOnesMustMatchWhatIsThereUnlessItIsMountedThere) {
  Fixture given;
  given.Add("bind", "dev//mounted").source = "/dev/zero";
  oci::Device device;
  for (const char* path : {"/dev/tty", "/dev/mounted"}) {
    device.path = path;
    given.config.linux.devices.push_back(device);
  }
  auto root = given.Plan().value();
  EXPECT_TRUE(FindDevice(root, "/dev/tty")->must_match);
  EXPECT_FALSE(FindDevice(root, "/dev/mounted")->must_match);
  EXPECT_FALSE(FindDevice(root, "/dev/null")->must_match);  // a default
}

TEST(PlanDevices, NothingInSomebodyElsesDev) {
  Fixture given;
  given.Add("bind", "/dev/").source = "/dev";
  auto root = given.Plan().value();
  EXPECT_TRUE(root.devices.empty() && root.dev_links.empty());
}

TEST(PlanDevices, BoundInAUserNamespace) {
  Fixture given;
  given.caller.uid = 1000;  // who does not open the sources for the child
  given.config.linux.namespaces.push_back({CLONE_NEWUSER, ""});
  EXPECT_TRUE(given.Plan()->bind_devices);
}

TEST(PlanDevices, BoundWhereTheCallerIsInOne) {
  Fixture given;
  given.caller.in_user_namespace = true;  // as root of a rootless engine
  EXPECT_TRUE(given.Plan()->bind_devices);
}

TEST(PlanCgroupMount, OneHierarchyOnV2) {
  Fixture given;
  given.layout.kind = sys::cgroup::Kind::kV2;
  given.layout.hierarchies.push_back({true, {""}, "/sys/fs/cgroup", "/"});
  given.Add("cgroup", "/sys/fs/cgroup").data = "memory_recursiveprot";
  auto shared = given.Plan().value();
  ASSERT_EQ(shared.mounts.size(), 1u);
  EXPECT_EQ(shared.mounts[0].mount.data, "");
  EXPECT_TRUE(shared.mounts[0].mount.bind);
  EXPECT_EQ(shared.mounts[0].mount.source, "/sys/fs/cgroup");
  given.config.linux.namespaces.push_back({CLONE_NEWCGROUP, ""});
  auto own = given.Plan().value();
  ASSERT_EQ(own.mounts.size(), 1u);
  EXPECT_FALSE(own.mounts[0].mount.bind);
  EXPECT_EQ(own.mounts[0].mount.type, "cgroup2");
  EXPECT_EQ(own.mounts[0].mount.data, "memory_recursiveprot");
  EXPECT_EQ(own.mounts[0].fallback_bind_source, "/sys/fs/cgroup");
}

TEST(PlanCgroupMount, TmpfsWithEachHierarchyOnV1) {
  Fixture given;
  given.layout.kind = sys::cgroup::Kind::kHybrid;
  given.layout.hierarchies = {{false, {"cpu", "cpuacct"}, "/sys/fs/cgroup/cpu,cpuacct", "/"},
                              {true, {""}, "/sys/fs/cgroup/unified", "/"},
                              {false, {"memory"}, "/sys/fs/cgroup/memory", "/"}};
  given.config.linux.namespaces.push_back({CLONE_NEWCGROUP, ""});
  given.Add("cgroup", "/cg/").attr_set = MOUNT_ATTR_RDONLY;
  auto root = given.Plan().value();
  const auto& mounts = root.mounts;
  ASSERT_EQ(mounts.size(), 5u);
  EXPECT_EQ(mounts[0].mount.type, "tmpfs");
  EXPECT_NE(mounts[0].mount.attr_set & MOUNT_ATTR_RDONLY, 0u);
  EXPECT_EQ(mounts[1].mount.destination, "/cg/cpu,cpuacct");
  EXPECT_EQ(mounts[1].mount.type, "cgroup");
  EXPECT_EQ(mounts[1].mount.data, "cpu,cpuacct");
  EXPECT_NE(mounts[1].mount.attr_set & MOUNT_ATTR_RDONLY, 0u);
  EXPECT_NE(mounts[1].mount.attr_set & MOUNT_ATTR_NOEXEC, 0u);
  EXPECT_EQ(mounts[2].link_target, "cpu,cpuacct");
  EXPECT_EQ(mounts[3].mount.destination, "/cg/cpuacct");
  EXPECT_EQ(mounts[4].mount.destination, "/cg/memory");
}

TEST(PlanCgroupMount, TopIsCleanedToo) {
  Fixture given;
  given.layout.kind = sys::cgroup::Kind::kV1;
  given.Add("cgroup", "proc/../sys/fs/cgroup/");
  EXPECT_EQ(given.Plan()->mounts[0].mount.destination, "/sys/fs/cgroup");
}

TEST(PlanSysctls, FilesBelowProc) {
  oci::Config config;
  config.linux.sysctl = {{"net.ipv4.ip_forward", "1"}, {"kernel/shmmax", "2"}};
  auto writes = PlanSysctls(config);
  ASSERT_EQ(writes.size(), 2u);
  EXPECT_EQ(writes[0].path, "sys/kernel/shmmax");
  EXPECT_EQ(writes[1].path, "sys/net/ipv4/ip_forward");
  EXPECT_EQ(writes[1].name, "net.ipv4.ip_forward");
  EXPECT_EQ(writes[1].value, "1");
}

}  // namespace kiste::runtime
