// SPDX-License-Identifier: Apache-2.0
//
// v2 on a tree of ordinary files: which files are written, and what.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "sys/cgroup/cgroup.h"
#include "sys/cgroup/fake_tree.h"
#include "sys/cgroup/v2/controllers.h"

namespace kiste::sys::cgroup {
namespace {

class V2ApplyTest : public testing::Test {
 protected:
  void SetUp() override {
    tree_.Put("cgroup.controllers", "cpu memory pids\n");
    tree_.Put("cgroup.subtree_control");
    auto cgroup = Cgroup::Create(tree_.V2Layout(), "/pod/c");
    ASSERT_TRUE(cgroup) << cgroup.error().Text();
    cgroup_.emplace(*std::move(cgroup));
    for (const char* file : {"cgroup.controllers",
                             "cpu.weight",
                             "cpu.max",
                             "cpu.max.burst",
                             "cpu.idle",
                             "cpuset.cpus",
                             "cpuset.mems",
                             "memory.max",
                             "memory.low",
                             "memory.high",
                             "memory.swap.max",
                             "memory.current",
                             "pids.max",
                             "io.weight",
                             "io.max",
                             "hugetlb.2MB.max",
                             "rdma.max",
                             "hugetlb.2MB.rsvd.max",
                             "cgroup.procs",
                             "cgroup.max.descendants"}) {
      tree_.Put(std::string("pod/c/") + file);
    }
  }

  // "ok", or the error's text.
  std::string Apply(const Resources& resources) {
    auto applied = cgroup_->Apply(resources);
    return applied ? "ok" : applied.error().Text();
  }
  std::string Get(const std::string& file) { return tree_.Get("pod/c/" + file); }
  // The cgroup as another command sees it that opens it later.
  void Reopen() { cgroup_.emplace(*Cgroup::Open(cgroup_->paths())); }

  FakeTree tree_;
  std::optional<Cgroup> cgroup_;
};

TEST_F(V2ApplyTest, CreateMakesAndEnables) {
  EXPECT_TRUE(cgroup_->created());
  EXPECT_EQ(tree_.Get("cgroup.subtree_control"), "+cpu +memory +pids");
  EXPECT_EQ(cgroup_->paths(), (std::map<std::string, std::string>{{"", tree_.root() + "/pod/c"}}));
  EXPECT_EQ(*cgroup_->Path("memory"), tree_.root() + "/pod/c");
  auto fds = cgroup_->OpenForJoining();
  ASSERT_TRUE(fds);
  EXPECT_TRUE(fds->tasks.empty());
  EXPECT_TRUE(fds->cgroup2.valid());
}

TEST_F(V2ApplyTest, ControllersAreEnabledDownThePathIfTheyAreNot) {
  tree_.Put("cgroup.subtree_control");
  tree_.Put("deep/cgroup.subtree_control");
  tree_.Put("deep/er/cgroup.subtree_control");
  ASSERT_TRUE(Cgroup::Create(tree_.V2Layout(), "/deep/er/c"));
  for (const char* level : {"", "deep/", "deep/er/"}) {
    EXPECT_EQ(tree_.Get(std::string(level) + "cgroup.subtree_control"), "+cpu +memory +pids");
  }
  EXPECT_FALSE(tree_.Has("deep/er/c/cgroup.subtree_control"));

  tree_.Put("cgroup.subtree_control");
  tree_.Put("deep/er/c/cgroup.controllers", "pids cpu memory\n");
  ASSERT_TRUE(Cgroup::Create(tree_.V2Layout(), "/deep/er/c"));
  EXPECT_EQ(tree_.Get("cgroup.subtree_control"), "");
}

TEST_F(V2ApplyTest, CreateAgainTakesWhatIsThere) {
  auto again = Cgroup::Create(tree_.V2Layout(), "pod/c");
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->created());
  again->Undo();
  EXPECT_TRUE(tree_.Has("pod/c/pids.max"));
}

TEST_F(V2ApplyTest, RelativePathsLieBesideTheOwnCgroup) {
  auto cgroup = Cgroup::Create(tree_.V2Layout("/pod/own"), "x");
  ASSERT_TRUE(cgroup);
  EXPECT_EQ(*cgroup->Path(""), tree_.root() + "/pod/x");
  cgroup->Undo();
  EXPECT_FALSE(tree_.Has("pod/x"));
  EXPECT_TRUE(tree_.Has("pod/c"));

  auto top = Cgroup::Create(tree_.V2Layout("/"), "x/y");
  ASSERT_TRUE(top);
  EXPECT_EQ(*top->Path(""), tree_.root() + "/x/y");
  top->Undo();
  EXPECT_FALSE(tree_.Has("x"));
}

TEST_F(V2ApplyTest, NothingGivenNothingWritten) {
  Resources resources;
  resources.memory.emplace().disable_oom_killer = false;
  resources.memory->limit = 0;
  resources.cpu.emplace().shares = 0;
  resources.block_io.emplace().weight = 0;
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("memory.max") + Get("cpu.weight") + Get("io.weight") + Get("pids.max"), "");
}

TEST_F(V2ApplyTest, Memory) {
  Resources resources;
  resources.memory = Memory{.limit = 1000, .reservation = 500, .swap = 1500};
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("memory.max"), "1000");
  EXPECT_EQ(Get("memory.low"), "500");
  EXPECT_EQ(Get("memory.swap.max"), "500");

  resources.memory = Memory{.limit = 1500, .swap = 1500};
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("memory.swap.max").substr(0, 1), "0");

  resources.memory = Memory{.swap = 10};
  EXPECT_NE(Apply(resources).find("needs memory.limit"), std::string::npos);
  resources.memory = Memory{.limit = 20, .swap = 10};
  EXPECT_NE(Apply(resources).find("is less than"), std::string::npos);
}

TEST_F(V2ApplyTest, UnlimitedMemoryMeansUnlimitedSwap) {
  Resources resources;
  resources.memory = Memory{.limit = -1};
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("memory.max"), "max");
  EXPECT_EQ(Get("memory.swap.max"), "max");
}

TEST_F(V2ApplyTest, SwapWithoutAccounting) {
  ASSERT_EQ(unlink((tree_.root() + "/pod/c/memory.swap.max").c_str()), 0);
  Resources resources;
  resources.memory = Memory{.limit = 1000, .swap = 1000};
  EXPECT_EQ(Apply(resources), "ok");
  resources.memory = Memory{.limit = 1000, .swap = 2000};
  EXPECT_NE(Apply(resources).find("memory.swap cannot be set"), std::string::npos);
}

TEST_F(V2ApplyTest, LimitBelowTheUsageIsRefusedIfAsked) {
  tree_.Put("pod/c/memory.current", "2000\n");
  Reopen();
  Resources resources;
  resources.memory = Memory{.limit = 1000, .check_before_update = true};
  EXPECT_NE(Apply(resources).find("not above the current usage of 2000"), std::string::npos);
  resources.memory->swap = 1500;
  EXPECT_NE(Apply(resources).find("memory.swap 1500"), std::string::npos);
  EXPECT_EQ(Get("memory.max"), "");
}

TEST_F(V2ApplyTest, Cpu) {
  Resources resources;
  resources.cpu = Cpu{.shares = 1024, .burst = 10, .period = 50000, .quota = 20000};
  resources.cpu->cpus = "0-1";
  resources.cpu->mems = "0";
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("cpu.weight"), "100");
  EXPECT_EQ(Get("cpu.max"), "20000 50000");
  EXPECT_EQ(Get("cpu.max.burst"), "10");
  EXPECT_EQ(Get("cpuset.cpus"), "0-1");
  EXPECT_EQ(Get("cpuset.mems"), "0");
  EXPECT_EQ(Get("cpu.idle"), "");
}

TEST_F(V2ApplyTest, CpuPeriodAloneKeepsTheQuota) {
  Resources resources;
  resources.cpu = Cpu{.period = 50000};
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("cpu.max"), "max 50000");
  tree_.Put("pod/c/cpu.max", "30000 100000\n");
  Reopen();
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("cpu.max").substr(0, 11), "30000 50000");
  resources.cpu = Cpu{.quota = -1};
  tree_.Put("pod/c/cpu.max");
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("cpu.max"), "max");
}

TEST_F(V2ApplyTest, IdleHasNoWeight) {
  Resources resources;
  resources.cpu = Cpu{.shares = 512, .idle = 1};
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("cpu.idle"), "1");
  EXPECT_EQ(Get("cpu.weight"), "");
}

TEST_F(V2ApplyTest, WhatOnlyV1HasIsPassedOverAndNamed) {
  Resources resources;
  resources.memory = Memory{.kernel = 1,
                            .kernel_tcp = -1,
                            .swappiness = 10,
                            .disable_oom_killer = true,
                            .use_hierarchy = false};
  resources.cpu = Cpu{.realtime_period = 1, .realtime_runtime = 950000};
  resources.block_io.emplace().weight_device = {{8, 0, {}, 500}};
  resources.network.emplace().class_id = 5;
  resources.network->priorities = {{"lo", 1}};
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("memory.max") + Get("cpu.max") + Get("io.weight"), "");
  std::vector<std::string> all = {
      "memory.kernel",           "memory.kernelTCP",   "memory.useHierarchy", "memory.swappiness",
      "memory.disableOOMKiller", "cpu.realtimePeriod", "cpu.realtimeRuntime", "blockIO.leafWeight",
      "network.classID",         "network.priorities"};
  EXPECT_EQ(cgroup_->PassedOver(resources), all);
  resources = {};
  resources.memory = Memory{.limit = 1, .swappiness = UINT64_MAX, .disable_oom_killer = false};
  resources.cpu = Cpu{.shares = 3};
  resources.block_io.emplace().weight = 10;
  EXPECT_TRUE(cgroup_->PassedOver(resources).empty());
}

TEST_F(V2ApplyTest, Pids) {
  for (auto [limit, text] : {std::pair<int64_t, const char*>{7, "7"}, {-1, "max"}, {0, "1"}}) {
    tree_.Put("pod/c/pids.max");
    Resources resources;
    resources.pids_limit = limit;
    if (limit < 0) Reopen();  // a new cgroup has no limit already
    EXPECT_EQ(Apply(resources), "ok");
    EXPECT_EQ(Get("pids.max"), text);
  }
}

TEST_F(V2ApplyTest, Io) {
  Resources resources;
  resources.block_io.emplace().weight = 1000;
  resources.block_io->throttle_read_bps = {{8, 0, 1000}};
  resources.block_io->throttle_write_iops = {{8, 16, 0}};
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("io.weight"), "10000");
  EXPECT_EQ(Get("io.max"), "8:0 rbps=10008:16 wiops=max");  // two writes, one file

  tree_.Put("pod/c/io.bfq.weight");
  resources.block_io = BlockIo{.weight = 500};
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("io.bfq.weight"), "500");
}

TEST_F(V2ApplyTest, HugetlbAndRdma) {
  Resources resources;
  resources.hugepage_limits = {{"2MB", 4096}};
  resources.rdma["mlx5_1"] = {3, 10000};
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("hugetlb.2MB.max"), "4096");
  EXPECT_EQ(Get("hugetlb.2MB.rsvd.max"), "4096");
  EXPECT_EQ(Get("rdma.max"), "mlx5_1 hca_handle=3 hca_object=10000");
  resources.hugepage_limits = {{"3MB", 4096}};
  EXPECT_NE(Apply(resources).find("hugetlb.3MB"), std::string::npos);
  resources.hugepage_limits = {{"/../../x", 4096}};
  EXPECT_NE(Apply(resources).find("is not the name of a file"), std::string::npos);
}

TEST_F(V2ApplyTest, Unified) {
  Resources resources;
  resources.unified = {{"memory.high", "4096"}, {"io.max", "8:0 rbps=1\n8:0 wbps=2\n"}};
  EXPECT_EQ(Apply(resources), "ok");
  EXPECT_EQ(Get("memory.high"), "4096");
  EXPECT_EQ(Get("io.max"), "8:0 rbps=18:0 wbps=2");
  for (const char* file : {"../memory.max", "a/b", "cgroup.procs", "cgroup.kill", "nodot", ".."}) {
    resources.unified = {{file, "1"}};
    EXPECT_NE(Apply(resources).find("unified: "), std::string::npos) << file;
  }
  resources.unified = {{"misc.max", "x 1"}};
  EXPECT_NE(Apply(resources).find("unified.misc.max cannot be set"), std::string::npos);
}

TEST_F(V2ApplyTest, PathsNeverLeaveTheTree) {
  auto cgroup = Cgroup::Plan(tree_.V2Layout(), "/../../a/./b/../c");
  ASSERT_TRUE(cgroup) << cgroup.error().Text();
  EXPECT_EQ(*cgroup->Path(""), tree_.root() + "/a/c");
  cgroup = Cgroup::Plan(tree_.V2Layout("/pod/own"), "../../x");
  ASSERT_TRUE(cgroup) << cgroup.error().Text();
  EXPECT_EQ(*cgroup->Path(""), tree_.root() + "/pod/x");
  EXPECT_FALSE(Cgroup::Plan(tree_.V2Layout(), "/a/.."));
}

TEST_F(V2ApplyTest, OomIsTheCountThatRises) {
  tree_.Put("pod/c/cgroup.controllers", "memory pids\n");
  tree_.Put("pod/c/memory.events", "oom 3\noom_kill 2\n");
  auto watch = cgroup_->WatchOom();
  ASSERT_TRUE(watch) << watch.error().Text();
  EXPECT_FALSE(watch->Take().value());
  tree_.Put("pod/c/memory.events", "oom 4\noom_kill 3\n");
  EXPECT_TRUE(watch->Take().value());
  tree_.Put("pod/c/memory.events", "oom 5\noom_kill 3\n");
  EXPECT_FALSE(watch->Take().value());
  ASSERT_EQ(unlink((tree_.root() + "/pod/c/memory.events").c_str()), 0);
  EXPECT_FALSE(watch->Take().value());
  tree_.Put("pod/c/cgroup.controllers", "pids\n");
  EXPECT_EQ(cgroup_->WatchOom().error().kind, ErrorKind::kUnsupported);
}

TEST_F(V2ApplyTest, ReadsStats) {
  tree_.Put("pod/c/cpu.stat", "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_throttled 1\n");
  tree_.Put("pod/c/memory.current", "100\n");
  tree_.Put("pod/c/memory.max", "max\n");
  tree_.Put("pod/c/memory.swap.current", "10\n");
  tree_.Put("pod/c/memory.swap.max", "50\n");
  tree_.Put("pod/c/memory.stat", "anon 60\nfile 40\n");
  tree_.Put("pod/c/memory.events", "oom 1\noom_kill 2\n");
  tree_.Put("pod/c/pids.current", "3\n");
  tree_.Put("pod/c/pids.max", "9\n");
  tree_.Put("pod/c/io.stat", "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n");
  tree_.Put("pod/c/hugetlb.2MB.rsvd.current", "0\n");
  tree_.Put("pod/c/cpu.pressure", "some avg10=0.50 avg60=0.00 avg300=0.00 total=12\n");
  auto stats = cgroup_->ReadStats();
  ASSERT_TRUE(stats) << stats.error().Text();
  EXPECT_EQ(stats->cpu.usage, 5000u);
  EXPECT_EQ(stats->cpu.throttled_periods, 1u);
  EXPECT_EQ(stats->memory.memory.limit, kUnlimited);
  EXPECT_EQ(stats->memory.swap.usage, 110u);
  EXPECT_EQ(stats->memory.swap.limit, kUnlimited);
  EXPECT_EQ(stats->memory.cache, 40u);
  EXPECT_EQ(stats->memory.oom_kills, 2u);
  EXPECT_EQ(stats->pids.limit, 9u);
  EXPECT_EQ(stats->block_io.service_bytes.at(0).value, 4096u);
  ASSERT_TRUE(stats->cpu.pressure);
  EXPECT_EQ(stats->cpu.pressure->some.total, 12u);
  EXPECT_FALSE(stats->memory.pressure);
}

TEST_F(V2ApplyTest, FreezeWaitsForTheEventAndThawsWhenItDoesNotCome) {
  tree_.Put("pod/c/cgroup.freeze", "0\n");
  tree_.Put("pod/c/cgroup.events", "populated 1\nfrozen 1\n");
  ASSERT_TRUE(cgroup_->Freeze());
  EXPECT_EQ(Get("cgroup.freeze"), "1\n");
  EXPECT_TRUE(cgroup_->IsFrozen().value());
  tree_.Put("pod/c/cgroup.events", "populated 1\nfrozen 0\n");
  auto frozen = cgroup_->Freeze(std::chrono::milliseconds(20));
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(Get("cgroup.freeze"), "0\n");
}

TEST_F(V2ApplyTest, KillIsOneWrite) {
  tree_.Put("pod/c/cgroup.kill");
  ASSERT_TRUE(cgroup_->KillAll(SIGKILL));
  EXPECT_EQ(Get("cgroup.kill"), "1");
}

TEST_F(V2ApplyTest, SubPathsStayBelow) {
  tree_.Put("pod/c/sub/cgroup.procs");
  auto sub = cgroup_->OpenSub({{{}, "/sub"}});
  ASSERT_TRUE(sub) << sub.error().Text();
  EXPECT_EQ(*sub->Path(""), tree_.root() + "/pod/c/sub");
  EXPECT_EQ(cgroup_->OpenSub({{{}, "missing"}}).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(cgroup_->OpenSub({{{}, "../d"}}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(cgroup_->OpenSub({{{"memory"}, "sub"}}).error().kind, ErrorKind::kUnsupported);
}

TEST(WeightTest, FollowsTheNewerFormula) {
  EXPECT_EQ(v2::WeightFromShares(0), 1u);
  EXPECT_EQ(v2::WeightFromShares(2), 1u);
  EXPECT_EQ(v2::WeightFromShares(512), 59u);
  EXPECT_EQ(v2::WeightFromShares(1024), 100u);
  EXPECT_EQ(v2::WeightFromShares(2048), 174u);
  EXPECT_EQ(v2::WeightFromShares(262144), 10000u);
  EXPECT_EQ(v2::IoWeightFromBlkio(10), 1u);
  EXPECT_EQ(v2::IoWeightFromBlkio(500), 4950u);
  EXPECT_EQ(v2::IoWeightFromBlkio(1000), 10000u);
}

}  // namespace
}  // namespace kiste::sys::cgroup
