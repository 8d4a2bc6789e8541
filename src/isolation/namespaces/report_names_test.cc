// SPDX-License-Identifier: Apache-2.0
#include "isolation/namespaces/report_names.h"

#include <asm/unistd.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace kiste::isolation {

TEST(ReportNames, KnowsEverySystemCallOfTheLauncher) {
  std::set<std::string> known;
  for (int number = 0; number < 1000; ++number) {
    if (const char* name = CallName(number)) known.insert(name);
  }
  std::set<std::string> used;
  for (const auto& file : std::filesystem::directory_iterator(KISTE_LAUNCHER_SOURCES)) {
    std::string path = file.path();
    if (!path.ends_with(".cc") || path.ends_with("_test.cc")) continue;
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    std::string source = text.str();
    static const std::regex kCall("__NR_([a-z0-9_]+)");
    for (std::sregex_iterator at(source.begin(), source.end(), kCall), end; at != end; ++at)
      used.insert((*at)[1]);
  }
  EXPECT_GT(used.size(), 50u);
  EXPECT_EQ(known, used);
}

TEST(ReportNames, NumbersAreThisMachines) {
  EXPECT_STREQ(CallName(__NR_openat2), "openat2");
  EXPECT_STREQ(CallName(__NR_move_mount), "move_mount");
  EXPECT_EQ(CallName(-1), nullptr);
}

TEST(ReportNames, StepsAreTheDocumentedOnes) {
  EXPECT_STREQ(StepName(launcher::Op::kSetns), "namespaces");
  EXPECT_STREQ(StepName(launcher::Op::kBind), "root");
  EXPECT_STREQ(StepName(launcher::Op::kFindExecutable), "exec");
}

}  // namespace kiste::isolation
