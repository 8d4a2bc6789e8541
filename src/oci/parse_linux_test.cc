// SPDX-License-Identifier: Apache-2.0
//
// linux, with devices, namespaces and the rest of parse_linux.cc and parse_devices.cc.
#include <gtest/gtest.h>
#include <sched.h>

#include "oci/config_text.h"

namespace kiste::oci {

namespace {

std::string WithNamespaces(const std::string& list) {
  return WithLinux(StrCat(R"("namespaces": [)", list, "]"));
}

std::string WithDevice(const std::string& members) {
  return WithLinux(StrCat(R"("devices": [{)", members, "}]"));
}

std::string WithPolicy(const std::string& members) {
  return WithLinux(StrCat(R"("memoryPolicy": {)", members, "}"));
}

}  // namespace

TEST(Linux, ReadsNamespaces) {
  Linux part = MustParse(Seed("everything.json")).linux;
  ASSERT_EQ(part.namespaces.size(), 8u);
  EXPECT_EQ(part.namespaces[0].flag, CLONE_NEWPID);
  EXPECT_EQ(part.namespaces[0].path, "/proc/1234/ns/pid");
  EXPECT_EQ(part.namespaces[1].flag, CLONE_NEWNET);
  EXPECT_EQ(part.namespaces[1].path, "");
  EXPECT_EQ(part.namespaces[6].flag, CLONE_NEWCGROUP);
  EXPECT_EQ(part.namespaces[7].flag, 0x80);
  EXPECT_NE(part.Find(CLONE_NEWUSER), nullptr);
  EXPECT_EQ(part.uid_mappings.at(1).container_id, 1000u);
  EXPECT_EQ(part.time_offsets.at("monotonic").secs, -172800);
  EXPECT_EQ(part.time_offsets.at("monotonic").nanosecs, 5u);
  EXPECT_EQ(part.time_offsets.at("boottime").secs, 604800);
}

TEST(Linux, ReadsDevices) {
  auto devices = MustParse(Seed("everything.json")).linux.devices;
  ASSERT_EQ(devices.size(), 4u);
  EXPECT_EQ(devices[0].path, "/dev/fuse");
  EXPECT_EQ(devices[0].type, 'c');
  EXPECT_EQ(devices[0].major, 10);
  EXPECT_EQ(devices[0].minor, 229);
  EXPECT_EQ(devices[0].file_mode, 0666u);  // 8630 is 020666: the type's bits are left out
  EXPECT_EQ(devices[0].gid, 5u);
  EXPECT_EQ(devices[1].type, 'b');
  EXPECT_FALSE(devices[1].file_mode);
  EXPECT_EQ(devices[2].type, 'p');
  EXPECT_EQ(devices[3].type, 'c');
}

TEST(Linux, ReadsTheRest) {
  Linux part = MustParse(Seed("everything.json")).linux;
  EXPECT_EQ(part.cgroups_path, "/crates/one");
  EXPECT_EQ(part.rootfs_propagation, "slave");
  EXPECT_TRUE(part.rootfs_propagation_recursive);
  EXPECT_EQ(part.masked_paths, (std::vector<std::string>{"/proc/kcore"}));
  EXPECT_EQ(part.readonly_paths.size(), 2u);
  EXPECT_EQ(part.mount_label, "system_u:object_r:svirt_sandbox_file_t:s0:c715,c811");
  EXPECT_EQ(part.intel_rdt->clos_id, "guaranteed_group");
  EXPECT_EQ(part.intel_rdt->schemata.size(), 1u);
  EXPECT_TRUE(part.intel_rdt->enable_monitoring);
  EXPECT_EQ(part.memory_policy->mode, "MPOL_INTERLEAVE");
  EXPECT_EQ(part.memory_policy->nodes, "2-3");
  EXPECT_EQ(part.memory_policy->flags.at(0), "MPOL_F_STATIC_NODES");
  EXPECT_EQ(part.personality->domain, "LINUX32");
  EXPECT_EQ(part.net_devices.at("eth0"), "container_eth0");
  EXPECT_EQ(part.net_devices.at("ens4"), "");
  EXPECT_EQ(part.sysctl.at("net.ipv4.ip_forward"), "1");
}

TEST(Linux, TakesPropagationWithAndWithoutR) {
  Linux part = MustParse(WithLinux(R"("rootfsPropagation": "private")")).linux;
  EXPECT_EQ(part.rootfs_propagation, "private");
  EXPECT_FALSE(part.rootfs_propagation_recursive);
  EXPECT_EQ(MustParse(WithLinux(R"("rootfsPropagation": "")")).linux.rootfs_propagation, "");
}

TEST(Linux, RefusesWrongNamespaces) {
  const std::string kTypes = "pid, network, mount, ipc, uts, user, cgroup, time";
  ExpectRefusals({
      {WithLinux(R"("namespaces": {})"), "linux.namespaces: expected an array, found {}"},
      {WithNamespaces(R"({"type": "pid"}, {"type": "ipc"}, {"type": "foo"})"),
       StrCat("linux.namespaces[2].type: expected one of ", kTypes, R"(, found "foo")")},
      {WithNamespaces("{}"),
       StrCat("linux.namespaces[0].type: expected one of ", kTypes, ", found nothing")},
      {WithNamespaces(R"({"type": "pid"}, {"type": "ipc"}, {"type": "pid", "path": "/p"})"),
       R"(linux.namespaces[2]: a namespace of type "pid" stands there already)"},
      {WithNamespaces(R"({"type": "pid", "path": "ns/pid"})"),
       R"(linux.namespaces[0].path: expected an absolute path, found "ns/pid")"},
  });
}

TEST(Linux, RefusesWrongTimeOffsets) {
  auto with_offsets = [](const std::string& members) {
    return WithLinux(StrCat(R"("namespaces": [{"type": "time"}], "timeOffsets": {)", members, "}"));
  };
  ExpectRefusals({
      {with_offsets(R"("realtime": {"secs": 1})"),
       "linux.timeOffsets.realtime: expected the clock monotonic or boottime"},
      {with_offsets(R"("monotonic": {"nanosecs": 1000000000})"),
       "linux.timeOffsets.monotonic.nanosecs: expected a whole number from 0 to 999999999, "
       "found 1000000000"},
      {with_offsets(R"("monotonic": 5)"),
       "linux.timeOffsets.monotonic: expected an object, found 5"},
  });
}

TEST(Linux, RefusesWrongDevices) {
  ExpectRefusals({
      {WithDevice(R"("type": "c", "major": 1, "minor": 3)"),
       "linux.devices[0].path: expected an absolute path, found nothing"},
      {WithDevice(R"("path": "dev/null", "type": "c", "major": 1, "minor": 3)"),
       R"(linux.devices[0].path: expected an absolute path, found "dev/null")"},
      {WithDevice(R"("path": "/n", "type": "x", "major": 1, "minor": 3)"),
       R"(linux.devices[0].type: expected one of c, b, u, p, found "x")"},
      {WithDevice(R"("path": "/n", "type": "c", "minor": 3)"),
       "linux.devices[0].major: expected a whole number from 0 to 4095, found nothing"},
      {WithDevice(R"("path": "/n", "type": "c", "major": -1, "minor": 3)"),
       "linux.devices[0].major: expected a whole number from 0 to 4095, found -1"},
      {WithDevice(R"("path": "/n", "type": "b", "major": 1, "minor": 1048576)"),
       "linux.devices[0].minor: expected a whole number from 0 to 1048575, found 1048576"},
      {WithDevice(R"("path": "/n", "type": "p", "fileMode": "0666")"),
       R"(linux.devices[0].fileMode: expected an unsigned number of 32 bits, found "0666")"},
  });
}

TEST(Linux, RefusesWrongPathsAndWords) {
  ExpectRefusals({
      {WithLinux(R"("maskedPaths": ["/proc/kcore", "sys"])"),
       R"(linux.maskedPaths[1]: expected an absolute path, found "sys")"},
      {WithLinux(R"("readonlyPaths": [""])"),
       R"(linux.readonlyPaths[0]: expected an absolute path, found "")"},
      {WithLinux(R"("rootfsPropagation": "sharde")"),
       "linux.rootfsPropagation: expected one of shared, slave, private, unbindable, rshared, "
       R"(rslave, rprivate, runbindable, found "sharde")"},
      {WithLinux(R"("personality": {"domain": "SVR4"})"),
       R"(linux.personality.domain: expected one of LINUX, LINUX32, found "SVR4")"},
      {WithLinux(R"("cgroupsPath": "a\u0000b")"),
       R"(linux.cgroupsPath: expected a string without a NUL character, found "a\u0000b")"},
      {WithLinux(R"("intelRdt": {"closID": "a/b"})"),
       R"(linux.intelRdt.closID: expected a name without a slash, or "/", found "a/b")"},
      {WithLinux(R"("intelRdt": {"schemata": ["L3:0=f", "a\nb"]})"),
       R"(linux.intelRdt.schemata[1]: expected a line without a newline, found "a\nb")"},
      {WithPolicy(R"("mode": "MPOL_BIND")"),
       "linux.memoryPolicy.nodes: expected at least one node with MPOL_BIND, found nothing"},
      {WithPolicy(R"("mode": "MPOL_LOCAL", "nodes": "0")"),
       R"(linux.memoryPolicy.nodes: expected no nodes with MPOL_LOCAL, found "0")"},
      {WithPolicy(R"("mode": "MPOL_PREFERRED", "flags": ["X"])"),
       "linux.memoryPolicy.flags[0]: expected one of MPOL_F_NUMA_BALANCING, "
       R"(MPOL_F_RELATIVE_NODES, MPOL_F_STATIC_NODES, found "X")"},
      {WithLinux(R"("netDevices": {"a/b": {}})"),
       R"(linux.netDevices: expected the name of a network interface, found "a/b")"},
      {WithLinux(R"("netDevices": {"eth0": {"name": "sixteen-letters-"}})"),
       "linux.netDevices.eth0.name: expected the name of a network interface, "
       R"(found "sixteen-letters-")"},
      {WithLinux(R"("sysctl": {"net.ipv4.ip_forward": 1})"),
       "linux.sysctl.net.ipv4.ip_forward: expected a string, found 1"},
  });
}

TEST(Linux, LimitsTheNumberOfMappings) {
  std::string mappings;
  for (int i = 0; i < 341; ++i) {
    if (i != 0) mappings += ',';
    mappings += StrCat(R"({"containerID": )", i, R"(, "hostID": )", i, R"(, "size": 1})");
  }
  ExpectRefusals({{WithLinux(StrCat(R"("uidMappings": [)", mappings, "]")),
                   "linux.uidMappings: expected at most 340 mappings, found 341"}});
}

}  // namespace kiste::oci
