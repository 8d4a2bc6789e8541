// SPDX-License-Identifier: Apache-2.0
//
// Life cycle and processes, on this host's own hierarchies.
#include "sys/cgroup/cgroup.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "base/defer.h"
#include "sys/cgroup/host_fixture.h"

namespace kiste::sys::cgroup {
namespace {

using std::chrono::milliseconds;
using CgroupTest = HostCgroup;

TEST_P(CgroupTest, CreateMakesADirectoryInEachHierarchy) {
  EXPECT_TRUE(cgroup_->created());
  EXPECT_EQ(cgroup_->Existing().size(), layout_.hierarchies.size());
  for (const auto& [controller, path] : cgroup_->paths()) {
    EXPECT_TRUE(std::filesystem::is_directory(path)) << controller;
    EXPECT_TRUE(path.ends_with(parent_ + "/c"));
  }
  EXPECT_EQ(Cgroup::Open(cgroup_->paths())->paths(), cgroup_->paths());
}

TEST_P(CgroupTest, CreateTakesBackWhatItMadeWhenItFails) {
  Layout broken = layout_;
  broken.hierarchies.push_back({false, {"name=broken"}, "/proc", "/"});
  auto failed = Cgroup::Create(broken, parent_ + "/new/c");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().operation, "mkdir /proc" + parent_);
  for (const auto& hierarchy : layout_.hierarchies) {
    EXPECT_FALSE(std::filesystem::exists(hierarchy.mount_point + parent_ + "/new"));
  }
  EXPECT_EQ(Cgroup::Plan(layout_, "/x/..").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(Cgroup::Create(layout_, "/").error().kind, ErrorKind::kInvalid);
}

TEST_P(CgroupTest, UndoLeavesWhatWasThereBefore) {
  auto again = Cgroup::Create(layout_, parent_ + "/c");
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->created());
  again->Undo();
  EXPECT_EQ(cgroup_->Existing().size(), layout_.hierarchies.size());
}

TEST_P(CgroupTest, ACreatorWithoutPermissionIsTold) {
  pid_t child = fork();
  if (child == 0) {
    if (setresuid(65534, 65534, 65534) != 0) _exit(2);
    auto failed = Cgroup::Create(layout_, parent_ + "/other");
    if (failed) _exit(1);
    int failure = failed.error().errno_value;
    _exit(failure == EACCES || failure == EPERM || failure == EROFS ? 0 : 3);
  }
  children_.push_back(child);
  EXPECT_EQ(Wait(child), 0);
}

TEST_P(CgroupTest, AChildJoinsEveryHierarchy) {
  pid_t child = StartSleeping(*cgroup_);
  std::string memberships = ReadText(StrCat("/proc/", child, "/cgroup"));
  for (auto line : Split(memberships, '\n')) {
    bool line_v2 = line.starts_with("0::");
    if (GetParam() == (line_v2 ? Part::kV1Only : Part::kV2Only)) continue;
    EXPECT_TRUE(line.ends_with(parent_ + "/c")) << line;
  }
  EXPECT_EQ(cgroup_->Pids().value(), std::vector<pid_t>{child});
}

// On v1 a process may be in a cgroup of that name in a single hierarchy, whichever.
TEST_P(CgroupTest, OccupantsAreSeenInEveryHierarchy) {
  for (const auto& hierarchy : layout_.hierarchies) {
    Layout single = layout_;
    single.hierarchies = {hierarchy};
    auto alone = Cgroup::Plan(single, parent_ + "/c");
    ASSERT_TRUE(alone);
    pid_t child = StartSleeping(*alone);
    EXPECT_EQ(cgroup_->Occupants().value(), std::vector<pid_t>{child}) << hierarchy.mount_point;
    kill(child, SIGKILL);
    Wait(child);
  }
  EXPECT_TRUE(cgroup_->Occupants().value().empty());
}

TEST_P(CgroupTest, JoinMovesAnExistingProcess) {
  pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  children_.push_back(child);
  ASSERT_TRUE(cgroup_->Join(child));
  EXPECT_EQ(cgroup_->Pids().value(), std::vector<pid_t>{child});
}

TEST_P(CgroupTest, PidsAndRemoveReachSubCgroups) {
  auto sub = Cgroup::Create(layout_, parent_ + "/c/a/b");
  ASSERT_TRUE(sub);
  pid_t child = StartSleeping(*sub);
  EXPECT_EQ(cgroup_->Pids().value(), std::vector<pid_t>{child});
  auto busy = cgroup_->Remove(milliseconds(30));
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().kind, ErrorKind::kTimeout);

  ASSERT_TRUE(cgroup_->KillAll(SIGKILL));
  EXPECT_EQ(Wait(child), -SIGKILL);
  ASSERT_TRUE(cgroup_->WaitEmpty(milliseconds(5000)));
  auto removed = cgroup_->Remove();
  ASSERT_TRUE(removed) << removed.error().Text();
  EXPECT_TRUE(cgroup_->Existing().empty());
  EXPECT_TRUE(cgroup_->Remove());
  EXPECT_TRUE(cgroup_->Pids().value().empty());
}

TEST_P(CgroupTest, OpenSubFindsWhatExists) {
  auto made = Cgroup::Create(layout_, parent_ + "/c/sub");
  ASSERT_TRUE(made);
  auto sub = cgroup_->OpenSub({{{}, "sub"}});
  ASSERT_TRUE(sub) << sub.error().Text();
  EXPECT_EQ(sub->paths(), made->paths());
  EXPECT_EQ(cgroup_->OpenSub({{{}, "missing"}}).error().kind, ErrorKind::kNotFound);
  if (layout_.FindV1("pids") != nullptr && layout_.FindV1("memory") != nullptr) {
    auto one = cgroup_->OpenSub({{{"pids"}, "/sub"}});
    ASSERT_TRUE(one);
    EXPECT_EQ(*one->Path("pids"), *made->Path("pids"));
    EXPECT_EQ(*one->Path("memory"), *cgroup_->Path("memory"));
  }
  made->Undo();
}

TEST_P(CgroupTest, OpenAroundFindsTheCgroupOfAProcess) {
  auto sub = Cgroup::Create(layout_, parent_ + "/c/a/b");
  ASSERT_TRUE(sub);
  pid_t child = StartSleeping(*sub);
  auto around = cgroup_->OpenAround(child);
  ASSERT_TRUE(around) << around.error().Text();
  if (layout_.FindV2() != nullptr) {
    EXPECT_EQ(*around->Path(""), *sub->Path(""));
    EXPECT_EQ(cgroup_->OpenAround(getpid()).error().kind, ErrorKind::kNotFound);
  }
  EXPECT_EQ(sub->OpenAround(child)->paths(), sub->paths());
  ASSERT_TRUE(cgroup_->KillAll(SIGKILL));
  EXPECT_EQ(Wait(child), -SIGKILL);
  sub->Undo();
}

TEST_P(CgroupTest, FreezeStopsAndThawContinues) {
  void* shared = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* count = new (shared) std::atomic<uint64_t>(0);
  auto counts = [&] {
    uint64_t before = *count;
    usleep(20'000);
    return *count != before;
  };
  // On a busy machine it may be a while until it has its turn.
  auto goes_on = [&] {
    for (int i = 0; i < 200; ++i) {
      if (counts()) return true;
    }
    return false;
  };
  pid_t child = Start(*cgroup_, [&] {
    while (true) {
      ++*count;
      usleep(100);
    }
    return 0;
  });
  WaitForMember(*cgroup_, child);
  EXPECT_FALSE(cgroup_->IsFrozen().value());
  EXPECT_TRUE(goes_on());
  auto frozen = cgroup_->Freeze();
  ASSERT_TRUE(frozen) << frozen.error().Text();
  EXPECT_TRUE(cgroup_->IsFrozen().value());
  EXPECT_FALSE(counts());
  ASSERT_TRUE(cgroup_->Thaw());
  EXPECT_FALSE(cgroup_->IsFrozen().value());
  EXPECT_TRUE(goes_on());
}

TEST_P(CgroupTest, KillAllReachesFrozenProcesses) {
  pid_t one = StartSleeping(*cgroup_), two = StartSleeping(*cgroup_);
  ASSERT_TRUE(cgroup_->Freeze());
  ASSERT_TRUE(cgroup_->KillAll(SIGKILL));
  EXPECT_EQ(Wait(one), -SIGKILL);
  EXPECT_EQ(Wait(two), -SIGKILL);
}

TEST_P(CgroupTest, KillAllSendsAnySignalAndLeavesThePausePaused) {
  pid_t child = StartSleeping(*cgroup_);
  ASSERT_TRUE(cgroup_->Freeze());
  ASSERT_TRUE(cgroup_->KillAll(SIGTERM));
  EXPECT_TRUE(cgroup_->IsFrozen().value());
  ASSERT_TRUE(cgroup_->Thaw());
  EXPECT_EQ(Wait(child), -SIGTERM);
  EXPECT_TRUE(cgroup_->WaitEmpty(milliseconds(5000)));
}

TEST_P(CgroupTest, KillAllCatchesForkers) {
  // Each process forks a successor and ends: single pids are always too late.
  pid_t child = Start(*cgroup_, [] {
    for (int generation = 0; generation < 1'000'000; ++generation) {
      pid_t next = fork();
      if (next > 0) _exit(0);
      if (next < 0) usleep(100);
    }
    return 0;
  });
  EXPECT_EQ(Wait(child), 0);
  EXPECT_FALSE(cgroup_->Pids().value().empty());
  ASSERT_TRUE(cgroup_->KillAll(SIGKILL));
  EXPECT_TRUE(cgroup_->WaitEmpty(milliseconds(5000)));
}

TEST_P(CgroupTest, DelegationGivesTheV2Files) {
  ASSERT_TRUE(cgroup_->Delegate(12345));
  if (layout_.FindV2() == nullptr) return;  // nothing to give
  struct stat status{};
  for (const char* file : {"", "/cgroup.procs", "/cgroup.subtree_control"}) {
    ASSERT_EQ(stat((*cgroup_->Path("") + file).c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, v2() ? 12345u : 0u);  // not where v1 is in use
  }
  ASSERT_EQ(stat((*cgroup_->Path("") + "/cgroup.max.depth").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 0u);
}

TEST_P(CgroupTest, TreesDeeperThanAPathCanSayAreRemoved) {
  std::string top = cgroup_->paths().begin()->second;
  Fd fd(open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::string name(200, 'd');
  for (int depth = 0; depth < 30; ++depth) {
    ASSERT_EQ(mkdirat(fd.get(), name.c_str(), 0755), 0) << depth << strerror(errno);
    fd = Fd(openat(fd.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(fd);
  }
  fd.Reset();
  EXPECT_TRUE(cgroup_->Pids());
  auto removed = cgroup_->Remove();
  EXPECT_TRUE(removed) << removed.error().Text();
}

// `delete`, or the `run` in the foreground, removes it while another command looks.
TEST_P(CgroupTest, RemovedWhileItIsReadIsEmpty) {
  std::atomic<bool> over = false;
  std::thread remover([&] {
    while (!over) {
      EXPECT_TRUE(cgroup_->Remove());
      EXPECT_TRUE(Cgroup::Create(layout_, parent_ + "/c"));
    }
  });
  Defer join([&] {
    over = true;
    remover.join();
  });
  for (int round = 0; round < 500; ++round) {
    auto frozen = cgroup_->IsFrozen();
    ASSERT_TRUE(frozen) << round << ": " << frozen.error().Text();
    auto emptied = cgroup_->WaitEmpty(milliseconds(5000));
    ASSERT_TRUE(emptied) << round << ": " << emptied.error().Text();
    auto killed = cgroup_->KillAll(SIGUSR1);
    ASSERT_TRUE(killed) << round << ": " << killed.error().Text();
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, CgroupTest, testing::ValuesIn(Parts()), PartName);

}  // namespace
}  // namespace kiste::sys::cgroup
