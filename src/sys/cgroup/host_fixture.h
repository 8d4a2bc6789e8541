// SPDX-License-Identifier: Apache-2.0
//
// For tests: a cgroup /kiste-test-<pid>/c in this host's own hierarchies, whatever they are, and
// children in it. On a hybrid host each test runs three times: on all hierarchies, and as if
// only the v1 ones or only the v2 one were there. Afterwards nothing may be left.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/strings.h"
#include "sys/cgroup/cgroup.h"

namespace kiste::sys::cgroup {

inline std::string ReadText(const std::string& path) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  return std::string(Trim(text.str()));
}

enum class Part { kAll, kV1Only, kV2Only };

class HostCgroup : public testing::TestWithParam<Part> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    layout_ = *Detect();
    if (layout_.kind == Kind::kNone) GTEST_SKIP() << "no cgroup file system is mounted here";
    if (GetParam() == Part::kV2Only) {
      std::erase_if(layout_.hierarchies, [](const Hierarchy& hierarchy) { return !hierarchy.v2; });
      layout_.kind = Kind::kV2;
    }
    if (GetParam() == Part::kV1Only) {
      std::erase_if(layout_.hierarchies, &Hierarchy::v2);
      layout_.kind = Kind::kV1;
    }
    parent_ = StrCat("/kiste-test-", getpid());
    auto cgroup = Cgroup::Create(layout_, parent_ + "/c");
    if (!cgroup) GTEST_SKIP() << "cgroups cannot be made here: " << cgroup.error().Text();
    cgroup_.emplace(*std::move(cgroup));
  }

  void TearDown() override {
    for (pid_t child : children_) {
      kill(child, SIGKILL);
      if (cgroup_) (void)cgroup_->Thaw();
      waitpid(child, nullptr, 0);
    }
    if (!cgroup_) return;
    cgroup_->Undo();
    for (const auto& hierarchy : layout_.hierarchies) {
      EXPECT_FALSE(std::filesystem::exists(hierarchy.mount_point + parent_))
          << hierarchy.mount_point + parent_;
    }
  }

  bool v2() const { return layout_.kind == Kind::kV2; }
  bool Has(std::string_view controller) const {
    if (!v2()) return layout_.FindV1(controller) != nullptr;
    std::string offered = ReadText(*cgroup_->Path("") + "/cgroup.controllers");
    auto words = Split(offered, ' ');
    return std::ranges::find(words, controller) != words.end();
  }

  // Starts a child that joins as JoinFds says and runs `deed`, whose result is its exit code.
  template <typename F>
  pid_t Start(const Cgroup& cgroup, F deed) {
    auto fds = cgroup.OpenForJoining();
    EXPECT_TRUE(fds);
    clone_args arguments{};
    arguments.exit_signal = SIGCHLD;
    if (fds->cgroup2) {
      arguments.flags = CLONE_INTO_CGROUP;
      arguments.cgroup = static_cast<uint64_t>(fds->cgroup2.get());
    }
    auto child = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (const auto& fd : fds->tasks) {
        if (write(fd.get(), "0", 1) != 1) _exit(99);
      }
      _exit(deed());
    }
    EXPECT_GT(child, 0) << strerror(errno);
    children_.push_back(child);
    return child;
  }
  pid_t StartSleeping(const Cgroup& cgroup) {
    int ready[2];
    EXPECT_EQ(pipe2(ready, O_CLOEXEC), 0);
    pid_t child = Start(cgroup, [&] {
      close(ready[1]);  // it has joined them all; its end, too, closes this
      pause();
      return 0;
    });
    close(ready[1]);
    char none = 0;
    EXPECT_EQ(read(ready[0], &none, 1), 0);
    close(ready[0]);
    return child;
  }
  static void WaitForMember(const Cgroup& cgroup, pid_t pid) {
    for (int i = 0; i < 1000; ++i) {
      auto pids = cgroup.Pids();
      if (pids && std::ranges::find(*pids, pid) != pids->end()) return;
      usleep(1000);
    }
    ADD_FAILURE() << pid << " did not join";
  }
  // The exit code, or minus the signal.
  int Wait(pid_t child) {
    std::erase(children_, child);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::string Apply(const Resources& resources) {
    auto applied = cgroup_->Apply(resources);
    return applied ? "ok" : applied.error().Text();
  }
  std::string Get(std::string_view controller, std::string_view file) {
    const std::string* path = cgroup_->Path(controller);
    return path == nullptr ? "" : ReadText(StrCat(*path, "/", file));
  }
  void Reopen() {
    reopened_.emplace(*std::move(cgroup_));
    cgroup_.emplace(*Cgroup::Open(reopened_->paths()));
  }

  Layout layout_;
  std::string parent_;
  std::optional<Cgroup> cgroup_, reopened_;
  std::vector<pid_t> children_;
};

// The parts to test here: see above.
inline std::vector<Part> Parts() {
  auto layout = Detect();
  bool hybrid = layout && layout->kind == Kind::kHybrid;
  return hybrid ? std::vector{Part::kAll, Part::kV1Only, Part::kV2Only} : std::vector{Part::kAll};
}
inline std::string PartName(const testing::TestParamInfo<Part>& part) {
  return part.param == Part::kAll ? "All" : part.param == Part::kV1Only ? "V1Only" : "V2Only";
}

}  // namespace kiste::sys::cgroup
