// SPDX-License-Identifier: Apache-2.0
#include "sys/capabilities.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::sys {

namespace {

constexpr uint64_t kAll = ~uint64_t{0};

uint64_t Bit(int capability) { return uint64_t{1} << capability; }

// A mask of /proc/self/status, by the kernel's own words.
uint64_t StatusMask(std::string_view name) {
  std::string text = ReadFileAt(AT_FDCWD, "/proc/self/status").value();
  for (auto line : Split(text, '\n')) {
    if (!line.starts_with(name)) continue;
    return std::stoull(std::string(Trim(line.substr(name.size() + 1))), nullptr, 16);
  }
  ADD_FAILURE() << "no " << name;
  return 0;
}

int InChild(const std::function<int()>& deed) {
  pid_t pid = fork();
  if (pid == 0) _exit(deed());
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

}  // namespace

TEST(Capabilities, GrantableArePermittedAndBounding) {
  uint64_t expected = StatusMask("CapPrm") & StatusMask("CapBnd");
  EXPECT_EQ(GrantableCapabilities(kAll).value(), expected);
  EXPECT_EQ(GrantableCapabilities(0).value(), 0u);
  EXPECT_EQ(GrantableCapabilities(Bit(63)).value(), 0u);
}

TEST(Capabilities, OnlyTheWantedOnes) {
  uint64_t wanted = Bit(CAP_CHOWN) | Bit(CAP_KILL);
  EXPECT_EQ(GrantableCapabilities(wanted).value(), GrantableCapabilities(kAll).value() & wanted);
}

TEST(Capabilities, DroppedFromTheBoundingSetIsNotGrantable) {
  if ((GrantableCapabilities(Bit(CAP_CHOWN) | Bit(CAP_SETPCAP)).value() &
       (Bit(CAP_CHOWN) | Bit(CAP_SETPCAP))) != (Bit(CAP_CHOWN) | Bit(CAP_SETPCAP))) {
    GTEST_SKIP() << "needs CAP_CHOWN and CAP_SETPCAP";
  }
  EXPECT_EQ(InChild([] {
              if (prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0) < 0) return 2;
              auto left = GrantableCapabilities(Bit(CAP_CHOWN) | Bit(CAP_SETPCAP));
              return left && *left == Bit(CAP_SETPCAP) ? 0 : 1;
            }),
            0);
}

TEST(Capabilities, DroppedFromThePermittedSetIsNotGrantable) {
  EXPECT_EQ(InChild([] {
              __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
              __user_cap_data_struct none[2]{};
              if (syscall(SYS_capset, &header, none) < 0) return 2;
              auto left = GrantableCapabilities(kAll);
              return left && *left == 0 ? 0 : 1;
            }),
            0);
}

}  // namespace kiste::sys
