// SPDX-License-Identifier: Apache-2.0
//
// The tables: capability_names, signal_names, and the versions of semver.
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <signal.h>

#include "oci/capability_names.h"
#include "oci/namespace_names.h"
#include "oci/semver.h"
#include "oci/signal_names.h"

namespace kiste::oci {

TEST(CapabilityNames, AreInTheKernelsOrder) {
  EXPECT_EQ(CapabilityNumber("CAP_CHOWN"), CAP_CHOWN);
  EXPECT_EQ(CapabilityNumber("CAP_NET_RAW"), CAP_NET_RAW);
  EXPECT_EQ(CapabilityNumber("CAP_SYS_ADMIN"), CAP_SYS_ADMIN);
  EXPECT_EQ(CapabilityNumber("CAP_SETFCAP"), CAP_SETFCAP);
  EXPECT_EQ(CapabilityNumber("CAP_CHECKPOINT_RESTORE"), CAP_CHECKPOINT_RESTORE);
  EXPECT_EQ(CapabilityNumber("CHOWN"), std::nullopt);
  EXPECT_EQ(CapabilityNumber("cap_chown"), std::nullopt);
  for (int number = 0; number < kCapabilityCount; ++number) {
    EXPECT_EQ(CapabilityNumber(CapabilityName(number)), number);
  }
  EXPECT_EQ(CapabilityName(-1), "");
  EXPECT_EQ(CapabilityName(kCapabilityCount), "");
}

TEST(SignalNames, AreReadInEverySpelling) {
  EXPECT_EQ(ParseSignal("SIGTERM"), SIGTERM);
  EXPECT_EQ(ParseSignal("term"), SIGTERM);
  EXPECT_EQ(ParseSignal("sigKill"), SIGKILL);
  EXPECT_EQ(ParseSignal("15"), SIGTERM);
  EXPECT_EQ(ParseSignal("0"), 0);
  EXPECT_EQ(ParseSignal("SIGIOT"), SIGABRT);
  EXPECT_EQ(ParseSignal("RTMIN"), 34);
  EXPECT_EQ(ParseSignal("SIGRTMIN+3"), 37);
  EXPECT_EQ(ParseSignal("SIGRTMAX-1"), 63);
  EXPECT_EQ(ParseSignal("64"), 64);
  for (const char* wrong : {"", "SIG", "65", "-1", "SIGFOO", "RTMIN+31", "RTMIN-1", "RTMAX+1",
                            "RTMIN+", "SIGSIGTERM", "9 ", "RTMINX"}) {
    EXPECT_EQ(ParseSignal(wrong), std::nullopt) << wrong;
  }
}

TEST(SignalNames, AreWrittenOneWay) {
  EXPECT_EQ(SignalName(SIGABRT), "SIGABRT");
  EXPECT_EQ(SignalName(SIGCHLD), "SIGCHLD");
  EXPECT_EQ(SignalName(34), "SIGRTMIN");
  EXPECT_EQ(SignalName(64), "SIGRTMIN+30");
  EXPECT_EQ(SignalName(32), "32");
  for (int number = 1; number <= 64; ++number) EXPECT_EQ(ParseSignal(SignalName(number)), number);
}

TEST(NamespaceNames, NameEveryFlag) {
  EXPECT_EQ(NameOf(kNamespaceNames, CLONE_NEWNS), "mount");
  EXPECT_EQ(NameOf(kNamespaceNames, CLONE_NEWTIME), "time");
  EXPECT_EQ(Find(kNamespaceNames, "net"), std::nullopt);
}

TEST(SemVer, FollowsTheStandard) {
  for (const char* good :
       {"0.0.0", "1.2.3", "1.0.2-dev", "1.0.0-rc.1", "1.0.0-0.3.7", "1.0.0-x.7.z-92",
        "1.0.0+20130313", "1.0.0-beta+exp.sha.5114f85", "1.0.0+001", "1.0.0-01a", "1.0.0+a-b"}) {
    EXPECT_TRUE(ParseSemVer(good)) << good;
  }
  for (const char* wrong : {"", "1", "1.2", "1.2.3.4", "01.2.3", "1.02.3", "1.2.03", "v1.2.3",
                            "1.2.3-", "1.2.3+", "1.2.3-a..b", "1.2.3-01", "1.2.3-a_b", " 1.2.3",
                            "1.2.x", "1.-2.3", "99999999999999999999.0.0"}) {
    EXPECT_FALSE(ParseSemVer(wrong)) << wrong;
  }
  EXPECT_EQ(ParseSemVer("1.22.333-x")->minor, 22u);
  EXPECT_EQ(ParseSemVer("1.22.333-x")->patch, 333u);
}

}  // namespace kiste::oci
