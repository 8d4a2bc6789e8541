// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "sys/cgroup/fake_tree.h"
#include "sys/cgroup/parse.h"
#include "sys/cgroup/walk.h"

namespace kiste::sys::cgroup {
namespace {

TEST(NormalPathTest, DropsWhatChangesNothing) {
  EXPECT_EQ(NormalPath("/a//b/./c/").value(), "/a/b/c");
  EXPECT_EQ(NormalPath("a/b").value(), "/a/b");
  EXPECT_EQ(NormalPath("/a..b/...").value(), "/a..b/...");
}

TEST(NormalPathTest, RefusesWhatCouldLeave) {
  for (std::string_view path : {"..", "/..", "a/../b", "/a/..", "", "/", "./", "a\nb"}) {
    auto normal = NormalPath(path);
    ASSERT_FALSE(normal) << path;
    EXPECT_EQ(normal.error().kind, ErrorKind::kInvalid);
  }
}

TEST(CheckFileNameTest, TakesOnlyNames) {
  EXPECT_TRUE(CheckFileName("unified", "memory.high"));
  for (std::string_view name : {"", ".", "..", "a/b", "../memory.high", "a b", "a\n"}) {
    EXPECT_FALSE(CheckFileName("unified", name)) << name;
  }
}

TEST(DirectoryTest, ErrorsNameFileAndValue) {
  FakeTree tree;
  tree.Put("x/there");
  Directory directory = tree.V2Directory("/x");
  auto missing = directory.Write("pids.max", "5");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().Text(),
            "write 5 to " + tree.root() + "/x/pids.max: no such file or directory (ENOENT)");
  EXPECT_TRUE(IsMissing(missing.error()));

  auto unsupported = directory.Set("pids.limit", "pids.max", "5");
  ASSERT_FALSE(unsupported);
  EXPECT_EQ(unsupported.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(unsupported.error().Text().find("pids.limit"), std::string::npos);

  auto gone = tree.V2Directory("/y").Set("pids.limit", "pids.max", "5");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::kNotFound);
}

TEST(DirectoryTest, NeverFollowsSymlinks) {
  FakeTree tree;
  tree.Put("victim/file", "old");
  tree.Put("x/real");
  std::filesystem::create_symlink(tree.root() + "/victim/file", tree.root() + "/x/link");
  std::filesystem::create_directory_symlink(tree.root() + "/victim", tree.root() + "/y");
  auto through_file = tree.V2Directory("/x").Write("link", "new");
  EXPECT_TRUE(Failed(through_file, ELOOP));
  auto through_directory = tree.V2Directory("/y").Write("file", "new");
  EXPECT_TRUE(Failed(through_directory, ELOOP));
  EXPECT_EQ(tree.Get("victim/file"), "old");
}

TEST(DirectoryTest, ReadsNumbers) {
  FakeTree tree;
  tree.Put("x/number", "42\n");
  tree.Put("x/max", "max\n");
  tree.Put("x/words", "a b\n");
  Directory directory = tree.V2Directory("/x");
  EXPECT_EQ(directory.ReadNumber("number").value(), 42u);
  EXPECT_EQ(directory.ReadNumber("max").value(), UINT64_MAX);
  EXPECT_FALSE(directory.ReadNumber("words"));
}

TEST(WalkTest, VisitsParentsFirstAndLeavesThemLast) {
  FakeTree tree;
  for (const char* file : {"x/f", "x/a/f", "x/a/deep/f", "x/b/f"}) tree.Put(file);
  int entered = 0;
  std::vector<std::string> left;
  Visitor visitor;
  visitor.enter = [&](int) -> Status {
    ++entered;
    return {};
  };
  visitor.leave = [&](int, const std::string& name) -> Status {
    left.push_back(name);
    return {};
  };
  ASSERT_TRUE(Walk(tree.V2Directory("/x"), visitor));
  EXPECT_EQ(entered, 4);
  ASSERT_EQ(left.size(), 3u);
  auto position = [&](std::string_view name) { return std::ranges::find(left, name); };
  EXPECT_LT(position("deep"), position("a"));
  EXPECT_TRUE(Walk(tree.V2Directory("/missing"), visitor));
}

TEST(ParseTest, PressureAndIo) {
  Pressure pressure = ParsePressure(
      "some avg10=1.50 avg60=0.20 avg300=0.03 total=77\nfull avg10=0.00 avg60=0.00 avg300=0.00 "
      "total=5\n");
  EXPECT_DOUBLE_EQ(pressure.some.avg10, 1.5);
  EXPECT_DOUBLE_EQ(pressure.some.avg300, 0.03);
  EXPECT_EQ(pressure.some.total, 77u);
  EXPECT_EQ(pressure.full.total, 5u);

  BlockIoStats stats;
  ParseIoStat("8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 cost.usage=9\nbad rbytes=1\n",
              stats);
  ASSERT_EQ(stats.service_bytes.size(), 3u);
  EXPECT_EQ(stats.service_bytes[1].op, "Write");
  EXPECT_EQ(stats.service_bytes[1].minor, 16u);
  EXPECT_EQ(stats.serviced[0].value, 3u);

  auto entries = ParseBlockIo("254:0 Read 7\n254:0 Total 7\nTotal 7\n");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].major, 254u);
  EXPECT_EQ(entries[0].op, "Read");
}

}  // namespace
}  // namespace kiste::sys::cgroup
