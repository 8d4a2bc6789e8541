// SPDX-License-Identifier: Apache-2.0
#include "runtime/criu_request.h"

#include <gtest/gtest.h>

namespace kiste::runtime {

TEST(CriuRequest, ComplaintsAreTheLastErrorsOfTheLog) {
  EXPECT_EQ(CriuComplaints("(00.001) fine\n"
                           "(00.002) Error (criu/a.c:1): one\n"
                           "(00.003)      1: Error (criu/b.c:2): two\n"
                           "(00.004) Error (criu/c.c:3): three \n"
                           "(00.005) words\n"
                           "(00.006) Error (criu/d.c:4): four\n"),
            "Error (criu/b.c:2): two; Error (criu/c.c:3): three; Error (criu/d.c:4): four");
  EXPECT_EQ(CriuComplaints("nothing is wrong\n"), "");
  EXPECT_EQ(CriuComplaints(""), "");
}

TEST(CriuRequest, AComplaintIsCut) {
  EXPECT_EQ(CriuComplaints("Error " + std::string(10'000, 'x')).size(), 300U);
}

TEST(CriuRequest, TheRootsAreTheContainersCgroups) {
  auto roots = ParseCgroupRoots(
      "9:name=systemd:/a/c\n8:cpu,cpuacct:/a/c/inner/deep\n5:pids:/a/c\n3:freezer:/elsewhere\n"
      "2:rdma:/a/c/inner\n0::/c/c\n",
      {{"name=systemd", "/sys/fs/cgroup/systemd/a/c"},
       {"cpu", "/sys/fs/cgroup/cpu,cpuacct/a/c"},
       {"cpuacct", "/sys/fs/cgroup/cpu,cpuacct/a/c"},
       {"pids", "/sys/fs/cgroup/pids/a/c"},
       {"freezer", "/sys/fs/cgroup/freezer/a/c"},
       {"", "/sys/fs/cgroup/unified/c/c"}});
  std::vector<std::pair<std::string, std::string>> found,
      expected = {{"name=systemd", "/a/c"}, {"cpu,cpuacct", "/a/c"},
                  {"cpu", "/a/c"},          {"cpuacct", "/a/c"},
                  {"pids", "/a/c"},         {"freezer", "/elsewhere"},
                  {"rdma", "/a/c/inner"},   {"", "/c/c"}};
  for (const auto& root : roots) found.emplace_back(root.controller, root.path);
  EXPECT_EQ(found, expected);
  EXPECT_TRUE(ParseCgroupRoots("", {}).empty());
  EXPECT_TRUE(ParseCgroupRoots("nonsense\n1:half\n", {}).empty());
}

TEST(CriuRequest, OptionsFollowTheRequest) {
  CriuRequest request;
  request.image_path = "/images";
  request.shell_job = true;
  request.empty_namespaces = 7;
  CriuFolders folders;
  folders.log = "/images/dump.log";
  std::string annotation = "/etc/mine";
  auto options = CriuOptions(request, folders, &annotation);
  EXPECT_EQ(options.log_file, "dump.log");
  EXPECT_EQ(options.config_file, "/etc/mine");
  EXPECT_TRUE(options.shell_job);
  EXPECT_FALSE(options.file_locks);
  EXPECT_EQ(options.empty_namespaces, 7U);
  EXPECT_EQ(options.work_directory, -1);
  EXPECT_EQ(options.manage_cgroups, sys::criu::CgroupMode::kSoft);
  request.manage_cgroups = sys::criu::CgroupMode::kIgnore;
  EXPECT_EQ(CriuOptions(request, folders, &annotation).manage_cgroups,
            sys::criu::CgroupMode::kIgnore);
}

TEST(CriuRequest, ImagesMustBeThereToBeRestored) {
  CriuRequest request;
  request.image_path = "/nowhere/images";
  auto folders = OpenCriuFolders(request, "restore.log", Folders::kMustBeThere);
  ASSERT_FALSE(folders);
  EXPECT_NE(folders.error().Text().find("--image-path: open /nowhere/images"), std::string::npos);
}

}  // namespace kiste::runtime
