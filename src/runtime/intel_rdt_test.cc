// SPDX-License-Identifier: Apache-2.0
#include "runtime/intel_rdt.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace kiste::runtime {
namespace {

namespace fs = std::filesystem;

// A folder stands for the mount. What the kernel would put into a new group is not there, so tests
// that write make the group themselves.
class IntelRdtTest : public testing::Test {
 protected:
  IntelRdtTest() : resctrl(MakeRoot()) { record.id = "box"; }
  ~IntelRdtTest() override { fs::remove_all(resctrl.root()); }
  static std::string MakeRoot() {
    char name[] = "/tmp/intel-rdt-test-XXXXXX";
    std::string root = mkdtemp(name);
    for (const char* resource : {"L3", "MB", "L3_MON"}) fs::create_directories(root + "/info/" + resource);
    return root;
  }
  std::string Group(const std::string& name, const std::string& schemata) {
    std::string path = resctrl.root() + "/" + name;
    fs::create_directories(path + "/mon_groups");
    std::ofstream(path + "/schemata") << schemata;
    std::ofstream(path + "/tasks") << "";
    return path;
  }
  sys::Resctrl resctrl;
  Record record;
};

TEST_F(IntelRdtTest, AGroupOfTheContainersOwnGoesWithIt) {
  ASSERT_TRUE(PlanRdt(resctrl, {}, record));
  EXPECT_EQ(record.rdt.control, resctrl.root() + "/box");
  ASSERT_TRUE(MakeRdt(resctrl, {}, record.rdt));
  EXPECT_TRUE(fs::is_directory(record.rdt.control));
  ASSERT_TRUE(RemoveRdt(record.rdt));
  EXPECT_FALSE(fs::exists(record.rdt.control));
}

TEST_F(IntelRdtTest, ANamedClassStays) {
  oci::IntelRdt wanted;
  wanted.clos_id = "gold";
  std::string group = Group("gold", "L3:0=f\n");
  ASSERT_TRUE(PlanRdt(resctrl, wanted, record));
  ASSERT_TRUE(MakeRdt(resctrl, wanted, record.rdt));
  ASSERT_TRUE(JoinRdt(record.rdt, 7));
  ASSERT_TRUE(RemoveRdt(record.rdt));
  EXPECT_TRUE(fs::exists(group));
}

TEST_F(IntelRdtTest, ANamedClassWithoutSchemataMustBeThere) {
  oci::IntelRdt wanted;
  wanted.clos_id = "gold";
  auto planned = PlanRdt(resctrl, wanted, record);
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kNotFound);
}

TEST_F(IntelRdtTest, ANamedClassWithOtherSchemataIsRefused) {
  oci::IntelRdt wanted;
  wanted.clos_id = "gold";
  wanted.l3_cache_schema = "L3:0=f";
  Group("gold", "L3:0=ff\n");
  ASSERT_TRUE(PlanRdt(resctrl, wanted, record));
  auto made = MakeRdt(resctrl, wanted, record.rdt);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kExists);
}

TEST_F(IntelRdtTest, TheDefaultClassIsTheRoot) {
  oci::IntelRdt wanted;
  wanted.clos_id = "/";
  ASSERT_TRUE(PlanRdt(resctrl, wanted, record));
  EXPECT_EQ(record.rdt.control, resctrl.root());
  EXPECT_FALSE(record.rdt.control_is_ours);
}

TEST_F(IntelRdtTest, AMonitoringGroupIsMadeInTheClassAndRemoved) {
  oci::IntelRdt wanted;
  wanted.clos_id = "gold";
  wanted.enable_monitoring = true;
  std::string group = Group("gold", "");
  ASSERT_TRUE(PlanRdt(resctrl, wanted, record));
  ASSERT_TRUE(MakeRdt(resctrl, wanted, record.rdt));
  EXPECT_TRUE(fs::is_directory(group + "/mon_groups/box"));
  ASSERT_TRUE(RemoveRdt(record.rdt));
  EXPECT_FALSE(fs::exists(group + "/mon_groups/box"));
}

TEST_F(IntelRdtTest, WhatTheHardwareLacksIsRefused) {
  fs::remove(resctrl.root() + "/info/MB");
  oci::IntelRdt wanted;
  wanted.mem_bw_schema = "MB:0=10";
  auto planned = PlanRdt(resctrl, wanted, record);
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kUnsupported);
}

TEST_F(IntelRdtTest, WhenItsSchemataAreRefusedAGroupMadeNowGoes) {
  oci::IntelRdt wanted;
  wanted.clos_id = "new";
  wanted.l3_cache_schema = "L3:0=f";
  ASSERT_TRUE(PlanRdt(resctrl, wanted, record));
  EXPECT_FALSE(MakeRdt(resctrl, wanted, record.rdt));  // the folder has no such file
  EXPECT_FALSE(fs::exists(resctrl.root() + "/new"));
}

TEST_F(IntelRdtTest, TheRecordKeepsTheGroups) {
  ASSERT_TRUE(PlanRdt(resctrl, {}, record));
  auto read = ParseRecord(RecordJson(record), "state.json");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->rdt.control, record.rdt.control);
  EXPECT_TRUE(read->rdt.control_is_ours);
}

}  // namespace
}  // namespace kiste::runtime
