// SPDX-License-Identifier: Apache-2.0
//
// The rules that span several fields, and the namespaces of kernel parameters.
#include <gtest/gtest.h>
#include <sched.h>

#include "oci/config_text.h"
#include "oci/sysctl_names.h"

namespace kiste::oci {

namespace {

constexpr char kUts[] = R"("namespaces": [{"type": "uts"}])";
constexpr char kOne[] = R"([{"containerID": 0, "hostID": 1000, "size": 1}])";

std::string Hosts(std::string_view type) {
  return StrCat(R"(needs linux.namespaces to have one of type ")", type,
                R"(": the host's would be changed)");
}

std::string WithSysctl(std::string_view type, std::string_view name) {
  return WithLinux(
      StrCat(R"("namespaces": [{"type": ")", type, R"("}], "sysctl": {")", name, R"(": "1"})"));
}

std::string WithUser(const std::string& members) {
  return WithLinux(StrCat(R"("namespaces": [{"type": "user"}])", members));
}

}  // namespace

TEST(Validate, WantsAUtsNamespaceForNames) {
  MustParse(ConfigText(
      {.top = R"("hostname": "a", "domainname": "b")", .process = {}, .linux_part = kUts}));
  ExpectRefusals({
      {WithTop(R"("hostname": "a")"), "hostname: " + Hosts("uts")},
      {WithTop(R"("domainname": "a")"), "domainname: " + Hosts("uts")},
  });
}

TEST(Validate, WantsMappingsAndUserNamespaceTogether) {
  const std::string uids = StrCat(R"(, "uidMappings": )", kOne);
  const std::string gids = StrCat(R"(, "gidMappings": )", kOne);
  const std::string kMissing = "missing, and a new user namespace needs them";
  const std::string kAlone = R"(there is no namespace of type "user" in linux.namespaces)";
  MustParse(WithUser(uids + gids));
  ExpectRefusals({
      {WithUser(""), "linux.uidMappings: " + kMissing},
      {WithUser(gids), "linux.uidMappings: " + kMissing},
      {WithUser(uids), "linux.gidMappings: " + kMissing},
      {WithLinux(StrCat(kUts, uids)), "linux.uidMappings: " + kAlone},
      {WithLinux(StrCat(kUts, gids)), "linux.gidMappings: " + kAlone},
  });
  const std::string joined = R"("namespaces": [{"type": "user", "path": "/proc/1/ns/user"}])";
  MustParse(WithLinux(joined));
  MustParse(WithLinux(joined + uids + gids));  // as containerd and CRI-O write it
}

TEST(Validate, WantsAMountNamespaceForPaths) {
  ExpectRefusals({
      {WithLinux(R"("maskedPaths": ["/proc/kcore"])"), "linux.maskedPaths: " + Hosts("mount")},
      {WithLinux(R"("readonlyPaths": ["/proc/sys"])"), "linux.readonlyPaths: " + Hosts("mount")},
  });
}

TEST(Validate, WantsANewTimeNamespaceForOffsets) {
  const std::string offsets = R"("timeOffsets": {"boottime": {"secs": 1}})";
  ExpectRefusals({
      {WithLinux(offsets), "linux.timeOffsets: " + Hosts("time")},
      {WithLinux(offsets + R"(, "namespaces": [{"type": "time", "path": "/proc/1/ns/time"}])"),
       "linux.timeOffsets: the time namespace that is joined has its own already"},
  });
}

TEST(Validate, WantsANetworkNamespaceForDevices) {
  ExpectRefusals(
      {{WithLinux(R"("netDevices": {"eth0": {}})"), "linux.netDevices: " + Hosts("network")}});
}

TEST(Validate, WantsMappingsForIdmappedMounts) {
  const std::string mount =
      R"("mounts": [{"destination": "/a", "source": "/a", "options": ["bind", "idmap"]}])";
  ExpectRefusals({{WithTop(mount),
                   "mounts[0].options: idmap needs uidMappings and gidMappings, or a user "
                   "namespace to take them from"}});
  MustParse(ConfigText({.top = mount,
                        .process = {},
                        .linux_part = StrCat(R"("namespaces": [{"type": "user"}], "uidMappings": )",
                                             kOne, R"(, "gidMappings": )", kOne)}));
}

TEST(Validate, TakesSysctlsOfOwnNamespaces) {
  for (const char* name : {"kernel.msgmax", "kernel/sem", "fs.mqueue.msg_max"}) {
    MustParse(WithSysctl("ipc", name));
  }
  for (const char* name : {"net.ipv4.ip_forward", "net/ipv4/conf/eno2.100/rp_filter",
                           "net.ipv4.conf.eno2/100.rp_filter"}) {
    MustParse(WithSysctl("network", name));
  }
  MustParse(WithSysctl("uts", "kernel.domainname"));
  MustParse(WithLinux(StrCat(R"("namespaces": [{"type": "user"}], "uidMappings": )", kOne,
                             R"(, "gidMappings": )", kOne,
                             R"(, "sysctl": {"user.max_user_namespaces": "0"})")));
}

TEST(Validate, RefusesSysctlsOfTheHost) {
  const std::string kNone = "belongs to no namespace: the whole host's would be changed";
  const std::string kForm = "expected a name like net.ipv4.ip_forward";
  ExpectRefusals({
      {WithSysctl("network", "kernel.msgmax"), R"(linux.sysctl["kernel.msgmax"]: )" + Hosts("ipc")},
      {WithSysctl("ipc", "net/core/somaxconn"),
       R"(linux.sysctl["net/core/somaxconn"]: )" + Hosts("network")},
      {WithSysctl("ipc", "kernel.domainname"),
       R"(linux.sysctl["kernel.domainname"]: )" + Hosts("uts")},
      {WithSysctl("ipc", "user.max_user_namespaces"),
       R"(linux.sysctl["user.max_user_namespaces"]: )" + Hosts("user")},
      {WithSysctl("uts", "kernel.hostname"),
       R"(linux.sysctl["kernel.hostname"]: use the field hostname instead)"},
      {WithSysctl("ipc", "kernel.core_pattern"),
       R"(linux.sysctl["kernel.core_pattern"]: )" + kNone},
      {WithSysctl("ipc", "vm.swappiness"), R"(linux.sysctl["vm.swappiness"]: )" + kNone},
      {WithSysctl("ipc", "kernel"), R"(linux.sysctl["kernel"]: )" + kNone},
      {WithSysctl("network", "net/../kernel/core_pattern"),
       R"(linux.sysctl["net/../kernel/core_pattern"]: )" + kForm},
      {WithSysctl("network", "net..x"), R"(linux.sysctl["net..x"]: )" + kForm},
      {WithSysctl("network", "net."), R"(linux.sysctl["net."]: )" + kForm},
      {WithSysctl("network", ""), R"(linux.sysctl[""]: )" + kForm},
  });
}

TEST(SysctlPath, ReadsBothSpellings) {
  EXPECT_EQ(SysctlPath("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
  EXPECT_EQ(SysctlPath("net/ipv4/conf/eno2.100/rp_filter"), "net/ipv4/conf/eno2.100/rp_filter");
  EXPECT_EQ(SysctlPath("net.ipv4.conf.eno2/100.rp_filter"), "net/ipv4/conf/eno2.100/rp_filter");
  EXPECT_EQ(SysctlPath("/etc/passwd"), "");
  EXPECT_EQ(SysctlPath("net.//.x"), "");  // would be net/../x
  EXPECT_EQ(SysctlNamespace("fs/mqueue/msg_max"), CLONE_NEWIPC);
  EXPECT_EQ(SysctlNamespace("network/x"), 0);
}

}  // namespace kiste::oci
