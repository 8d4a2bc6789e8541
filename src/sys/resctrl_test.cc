// SPDX-License-Identifier: Apache-2.0
#include "sys/resctrl.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace kiste::sys {
namespace {

namespace fs = std::filesystem;

// A folder with the files that resctrl has.
class ResctrlTest : public testing::Test {
 protected:
  ResctrlTest() {
    char name[] = "/tmp/resctrl-test-XXXXXX";
    root = mkdtemp(name);
    fs::create_directories(root + "/info/L3");
    Write(root + "/info/last_cmd_status", "ok\n");
  }
  ~ResctrlTest() override { fs::remove_all(root); }
  static void Write(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
  }
  static std::string Read(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  std::string root;
};

TEST_F(ResctrlTest, TellsWhatTheHardwareHas) {
  Resctrl resctrl(root);
  EXPECT_TRUE(resctrl.Has("L3"));
  EXPECT_FALSE(resctrl.Has("MB"));
}

TEST_F(ResctrlTest, MakesAGroupOnceAndRemovesIt) {
  Resctrl resctrl(root);
  EXPECT_TRUE(resctrl.MakeGroup(root + "/c").value());
  EXPECT_FALSE(resctrl.MakeGroup(root + "/c").value());
  EXPECT_TRUE(resctrl.RemoveGroup(root + "/c"));
  EXPECT_FALSE(fs::exists(root + "/c"));
  EXPECT_TRUE(resctrl.RemoveGroup(root + "/c"));
}

TEST_F(ResctrlTest, WritesLinesInTheirOrderAndTasks) {
  Resctrl resctrl(root);
  fs::create_directory(root + "/c");
  Write(root + "/c/schemata", "");
  Write(root + "/c/tasks", "");
  ASSERT_TRUE(resctrl.WriteSchemata(root + "/c", {"L3:0=f", "MB:0=50"}));
  EXPECT_EQ(Read(root + "/c/schemata"), "L3:0=f\nMB:0=50\n");
  ASSERT_TRUE(resctrl.AddTask(root + "/c", 42));
  EXPECT_EQ(Read(root + "/c/tasks"), "42");
}

TEST_F(ResctrlTest, AnErrorHasTheKernelsWords) {
  Write(root + "/info/last_cmd_status", "mask f00 has non-consecutive 1-bits\n");
  auto written = Resctrl(root).WriteSchemata(root + "/nosuch", {"L3:0=f00"});
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().Text().find("non-consecutive"), std::string::npos);
}

TEST(SchemataHave, ComparesDomainByDomain) {
  constexpr char kFile[] = "    L3:0=007f0;1=0001F\n    MB:0=  20;1= 100\n";
  EXPECT_TRUE(SchemataHave(kFile, "L3:0=7f0;1=1f"));
  EXPECT_TRUE(SchemataHave(kFile, "L3:1=1f"));
  EXPECT_TRUE(SchemataHave(kFile, "MB:0=20;1=100"));
  EXPECT_FALSE(SchemataHave(kFile, "L3:0=7f0;1=f"));
  EXPECT_FALSE(SchemataHave(kFile, "L3:2=f"));
  EXPECT_FALSE(SchemataHave(kFile, "L2:0=7f0"));
}

}  // namespace
}  // namespace kiste::sys
