// SPDX-License-Identifier: Apache-2.0
//
// Limits and counts, on this host's own hierarchies.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>

#include "sys/cgroup/cgroup.h"
#include "sys/cgroup/host_fixture.h"

namespace kiste::sys::cgroup {
namespace {

using LimitsTest = HostCgroup;
using V1LimitsTest = HostCgroup;

TEST_P(LimitsTest, PidsLimitHolds) {
  if (!Has("pids")) GTEST_SKIP() << "no controller pids";
  Resources resources;
  resources.pids_limit = 1;
  ASSERT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("pids", "pids.max"), "1");
  pid_t child = Start(*cgroup_, [] { return fork() < 0 && errno == EAGAIN ? 0 : 1; });
  EXPECT_EQ(Wait(child), 0);
}

TEST_P(LimitsTest, DevicesAreDenied) {
  Resources resources;
  resources.devices = {{.allow = false}, {true, 'c', 1, 3, "rw"}, {true, 'c', 1, 7, "r"}};
  std::string applied = Apply(resources);
  if (v2() && applied.find("bpf load") != std::string::npos) GTEST_SKIP() << applied;
  ASSERT_EQ(applied, "ok");
  auto attempt = [&] {
    return Wait(Start(*cgroup_, [] {
      auto opens = [](const char* path, int flags) {
        return open(path, flags) >= 0 ? 1 : errno == EPERM ? 0 : 8;
      };
      return opens("/dev/null", O_RDWR) | opens("/dev/full", O_RDONLY) << 1 |
             opens("/dev/full", O_RDWR) << 2 | opens("/dev/zero", O_RDONLY) << 3;
    }));
  };
  EXPECT_EQ(attempt(), 0b0011);
  // Once more, as `update` would: the list is replaced.
  Reopen();
  resources.devices = {{.allow = true}, {false, 'c', 1, 3, "w"}};
  ASSERT_EQ(Apply(resources), "ok");
  EXPECT_EQ(attempt(), 0b1110);
  cgroup_.swap(reopened_);
}

TEST_P(LimitsTest, NoMomentLiesBetweenTwoListsOfDevices) {
  const DeviceRule null{true, 'c', 1, 3, "rwm"}, zero{true, 'c', 1, 5, "rw"};
  const std::vector<DeviceRule> lists[] = {
      {null}, {null, zero}, {{.allow = true}, {false, 'c', 1, 7, "rwm"}}, {null, zero}};
  Resources resources{.devices = lists[0]};
  std::string applied = Apply(resources);
  if (v2() && applied.find("bpf load") != std::string::npos) GTEST_SKIP() << applied;
  ASSERT_EQ(applied, "ok");
  // All of them allow /dev/null, and none /dev/full. The child counts how often it has tried.
  constexpr int kEnough = 20000;
  void* shared = mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto& tries = *new (shared) std::atomic<int>(0);
  pid_t child = Start(*cgroup_, [&] {
    for (; tries < kEnough; ++tries) {
      int null_fd = open("/dev/null", O_RDWR);
      bool wrong = null_fd < 0 || open("/dev/full", O_RDONLY) >= 0;
      close(null_fd);
      if (wrong) {
        tries = kEnough;
        return 1;
      }
    }
    return 0;
  });
  WaitForMember(*cgroup_, child);
  Reopen();
  while (tries < kEnough) {
    for (const auto& list : lists) {
      resources.devices = list;
      EXPECT_EQ(Apply(resources), "ok");
    }
  }
  EXPECT_EQ(Wait(child), 0);
  munmap(shared, sizeof(std::atomic<int>));
  cgroup_.swap(reopened_);
}

TEST_P(LimitsTest, CpuLimits) {
  if (!Has("cpu") || !Has("cpuset")) GTEST_SKIP() << "no controllers cpu, cpuset";
  Resources resources;
  resources.cpu = Cpu{.shares = 512, .period = 50000, .quota = 20000};
  resources.cpu->cpus = "0";
  resources.cpu->mems = "0";
  ASSERT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("cpuset", "cpuset.cpus"), "0");
  if (v2()) {
    EXPECT_EQ(Get("", "cpu.max"), "20000 50000");
    EXPECT_EQ(Get("", "cpu.weight"), "59");
    return;
  }
  EXPECT_EQ(Get("cpu", "cpu.shares"), "512");
  EXPECT_EQ(Get("cpu", "cpu.cfs_period_us"), "50000");
  EXPECT_EQ(Get("cpu", "cpu.cfs_quota_us"), "20000");
  // Each pair of values fits together, whichever way it goes.
  auto inner = Cgroup::Create(layout_, parent_ + "/c/in");
  for (auto [period, quota] :
       {std::pair<uint64_t, int64_t>{100000, 40000}, {10000, 4000}, {50000, 20000}}) {
    resources.cpu = Cpu{.period = period, .quota = quota};
    auto applied = inner->Apply(resources);
    EXPECT_TRUE(applied) << applied.error().Text();
  }
  inner->Undo();
  resources.cpu = Cpu{.shares = 1};
  EXPECT_NE(Apply(resources).find("cpu.shares 1 is not in 2"), std::string::npos);
}

TEST_P(V1LimitsTest, NewCpusetsTakeProcesses) {
  if (layout_.FindV1("cpuset") == nullptr) GTEST_SKIP() << "no cgroup v1 cpuset here";
  std::string root = layout_.FindV1("cpuset")->mount_point;
  std::string cpus = ReadText(root + "/cpuset.cpus");
  EXPECT_EQ(Get("cpuset", "cpuset.cpus"), cpus);
  EXPECT_EQ(ReadText(root + parent_ + "/cpuset.cpus"), cpus);
  // Also below a parent that somebody made and left empty.
  std::string empty = root + parent_ + "/empty";
  ASSERT_EQ(mkdir(empty.c_str(), 0755), 0);
  auto below = Cgroup::Create(layout_, parent_ + "/empty/c");
  ASSERT_TRUE(below);
  EXPECT_EQ(ReadText(empty + "/cpuset.cpus"), cpus);
  EXPECT_EQ(ReadText(*below->Path("cpuset") + "/cpuset.mems"), ReadText(root + "/cpuset.mems"));
  below->Undo();
  rmdir(empty.c_str());
}

TEST_P(V1LimitsTest, MemoryLimitsRiseAndFall) {
  if (layout_.FindV1("memory") == nullptr) GTEST_SKIP() << "no cgroup v1 memory here";
  constexpr int64_t kMega = 1 << 20;
  bool swap = std::filesystem::exists(*cgroup_->Path("memory") + "/memory.memsw.limit_in_bytes");
  auto set = [&](int64_t limit, int64_t with_swap) {
    Resources resources;
    resources.memory = Memory{.limit = limit};
    if (swap) resources.memory->swap = with_swap;
    return Apply(resources);
  };
  for (int64_t limit : {64, 256, 32, 512}) {
    EXPECT_EQ(set(limit * kMega, 2 * limit * kMega), "ok");
    EXPECT_EQ(Get("memory", "memory.limit_in_bytes"), StrCat(limit * kMega));
    if (swap) {
      EXPECT_EQ(Get("memory", "memory.memsw.limit_in_bytes"), StrCat(2 * limit * kMega));
    }
  }
  EXPECT_EQ(set(-1, 0), "ok");
  EXPECT_GT(ParseUint(Get("memory", "memory.limit_in_bytes")).value(), uint64_t{1} << 60);
  EXPECT_GT(cgroup_->ReadStats()->memory.memory.limit, uint64_t{1} << 60);
  EXPECT_EQ(set(64 * kMega, -1), "ok");
  if (swap) {
    EXPECT_NE(set(64 * kMega, 32 * kMega).find("is less than"), std::string::npos);
  }
}

TEST_P(V1LimitsTest, OtherV1Files) {
  if (layout_.FindV1("memory") == nullptr) GTEST_SKIP() << "no cgroup v1 memory here";
  Resources resources;
  resources.memory = Memory{.reservation = 1 << 20, .swappiness = 10, .disable_oom_killer = true};
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("memory", "memory.soft_limit_in_bytes"), StrCat(1 << 20));
  EXPECT_EQ(Get("memory", "memory.swappiness"), "10");
  EXPECT_TRUE(Get("memory", "memory.oom_control").starts_with("oom_kill_disable 1"));
  resources.memory = Memory{.swappiness = 101};
  EXPECT_NE(Apply(resources).find("memory.swappiness 101"), std::string::npos);
  if (layout_.FindV1("blkio") == nullptr) return;
  resources = {};
  resources.block_io = BlockIo{.weight = 300};
  if (std::filesystem::exists(*cgroup_->Path("blkio") + "/blkio.bfq.weight")) {
    EXPECT_EQ(Apply(resources), "ok");
    EXPECT_EQ(Get("blkio", "blkio.bfq.weight"), "300");
  }
  resources.block_io = BlockIo{.leaf_weight = 300};
  EXPECT_NE(Apply(resources).find("blockIO.leafWeight cannot be set"), std::string::npos);
}

TEST_P(V1LimitsTest, WhatV1LacksComesFromTheHybridsV2) {
  if (layout_.kind != Kind::kHybrid) GTEST_SKIP() << "not a hybrid layout";
  std::string offered = ReadText(layout_.FindV2()->mount_point + "/cgroup.controllers");
  if (offered.find("hugetlb") == std::string::npos) GTEST_SKIP() << "v2 does not have hugetlb";
  Resources resources;
  resources.hugepage_limits = {{"2MB", 4 << 20}};
  ASSERT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("", "hugetlb.2MB.max"), StrCat(4 << 20));
  resources.hugepage_limits = {{"3MB", 4 << 20}};
  EXPECT_NE(Apply(resources).find("hugepageLimits cannot be set"), std::string::npos);
}

TEST_P(LimitsTest, MissingControllersAreNamed) {
  Resources resources;
  resources.network.emplace().class_id = 1;
  if (layout_.FindV1("net_cls") != nullptr) GTEST_SKIP() << "this host has net_cls";
  if (v2()) GTEST_SKIP() << "v2 passes it over";
  auto applied = cgroup_->Apply(resources);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(applied.error().Text().find("network.classID"), std::string::npos);
  EXPECT_NE(applied.error().Text().find("net_cls"), std::string::npos);
}

TEST_P(LimitsTest, KernelRefusalsNameFileAndValue) {
  if (!Has("cpuset")) GTEST_SKIP() << "no controller cpuset";
  Resources resources;
  resources.cpu.emplace().cpus = "9999";
  std::string text = Apply(resources);
  EXPECT_NE(text.find("write 9999 to " + *cgroup_->Path("cpuset") + "/cpuset.cpus: "),
            std::string::npos)
      << text;
}

TEST_P(LimitsTest, StatsCountWhatRuns) {
  pid_t child = Start(*cgroup_, [] {
    std::string memory(8 << 20, 'x');
    for (size_t i = 0; i < 1'000'000; ++i) (void)syscall(SYS_getppid);
    pause();
    return memory[memory.size() / 2] == 'x' ? 0 : 1;
  });
  WaitForMember(*cgroup_, child);
  Result<Stats> stats = cgroup_->ReadStats();
  auto enough = [&] {
    return stats->cpu.usage >= 5'000'000 &&
           (!Has("memory") || stats->memory.memory.usage >= 4u << 20);
  };
  for (int i = 0; i < 2500 && stats && !enough(); ++i) {
    usleep(2000);
    stats = cgroup_->ReadStats();
  }
  ASSERT_TRUE(stats) << stats.error().Text();
  EXPECT_GE(stats->cpu.usage, 5'000'000u);
  if (Has("memory")) {
    EXPECT_GE(stats->memory.memory.usage, 4u << 20);
    EXPECT_FALSE(stats->memory.raw.empty());
  }
  if (Has("pids")) {
    EXPECT_EQ(stats->pids.current, 1u);
  }
  EXPECT_EQ(stats->pids.limit, kUnlimited);
}

INSTANTIATE_TEST_SUITE_P(Layouts, V1LimitsTest, testing::Values(Part::kAll), PartName);
INSTANTIATE_TEST_SUITE_P(Layouts, LimitsTest, testing::ValuesIn(Parts()), PartName);

}  // namespace
}  // namespace kiste::sys::cgroup
