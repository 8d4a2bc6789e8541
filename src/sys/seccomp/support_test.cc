// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/prctl.h>

#include <algorithm>

#include "sys/seccomp/seccomp.h"

namespace kiste::sys {

TEST(SupportedSeccompFlags, AreKnownOnesAndAskingInstallsNothing) {
  auto known = SeccompFlags();
  auto supported = SupportedSeccompFlags();
  // As old as Linux 4.17, and older than anything kiste runs on.
  for (const char* flag :
       {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"}) {
    EXPECT_NE(std::ranges::find(supported, flag), supported.end()) << flag;
  }
  for (auto flag : supported) EXPECT_NE(std::ranges::find(known, flag), known.end()) << flag;
  EXPECT_EQ(prctl(PR_GET_SECCOMP), 0);
}

}  // namespace kiste::sys
