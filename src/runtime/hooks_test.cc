// SPDX-License-Identifier: Apache-2.0
#include "runtime/hooks.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/strings.h"

namespace kiste::runtime {

namespace {

using Environment = std::vector<std::string>;

class HooksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / "kiste-hooks-XXXXXX";
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
    state_.id = "c1";
    state_.status = "creating";
    state_.pid = 42;
    state_.bundle = "/b";
  }
  void TearDown() override {
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a hook was left";
    std::filesystem::remove_all(path_);
  }
  static oci::Hook Shell(const std::string& script) {
    oci::Hook hook;
    hook.path = "/bin/sh";
    hook.args = {"sh", "-c", script};
    return hook;
  }
  std::string Read(const std::string& name) const {
    std::ifstream stream(path_ + "/" + name);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
  }
  std::string path_;
  oci::State state_;
};

}  // namespace

TEST_F(HooksTest, StateIsOnStandardInput) {
  std::string to = path_ + "/state";
  auto ran = RunHooks({Shell(StrCat("/bin/cat >", to))}, state_, "hooks.prestart");
  ASSERT_TRUE(ran) << ran.error().Text();
  EXPECT_EQ(Read("state"), oci::StateJson(state_));
}

TEST_F(HooksTest, EnvironmentIsTheHooksAloneUnlessItNamesNone) {
  setenv("KISTE_TEST_LEAK", "leaked", 1);
  oci::Hook hook = Shell(StrCat("echo $A-$KISTE_TEST_LEAK-$0 >", path_, "/env"));
  hook.env = Environment{"A=1"};
  ASSERT_TRUE(RunHooks({hook}, state_, "hooks.x"));
  EXPECT_EQ(Read("env"), "1--sh\n");
  hook.env = Environment{};
  ASSERT_TRUE(RunHooks({hook}, state_, "hooks.x"));
  EXPECT_EQ(Read("env"), "--sh\n");
  hook.env.reset();  // not said
  ASSERT_TRUE(RunHooks({hook}, state_, "hooks.x"));
  EXPECT_EQ(Read("env"), "-leaked-sh\n");
  unsetenv("KISTE_TEST_LEAK");
}

TEST_F(HooksTest, WorkingDirectoryIsTheBundleWhileThereIsOne) {
  oci::Hook hook = Shell(StrCat("pwd -P >", path_, "/folder"));
  state_.bundle = path_;
  ASSERT_TRUE(RunHooks({hook}, state_, "hooks.x"));
  EXPECT_EQ(Read("folder"), std::filesystem::canonical(path_).string() + "\n");
  state_.bundle = path_ + "/gone";
  ASSERT_TRUE(RunHooks({hook}, state_, "hooks.x"));
  EXPECT_EQ(Read("folder"), std::filesystem::current_path().string() + "\n");
}

TEST_F(HooksTest, InOrderUntilTheFirstFailure) {
  std::string log = path_ + "/log";
  auto ran = RunHooks({Shell(StrCat("echo 1 >>", log)), Shell("echo sorry >&2; exit 3"),
                       Shell(StrCat("echo 3 >>", log))},
                      state_, "hooks.createRuntime");
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().Text(),
            "hooks.createRuntime[1]: /bin/sh: exit status 3, output: \"sorry\"");
  EXPECT_EQ(Read("log"), "1\n");
}

TEST_F(HooksTest, TolerantRunGoesOnAndComplainsOfEach) {
  std::vector<std::string> complaints;
  RunHooksTolerantly(
      {Shell("exit 1"), Shell("kill -9 $$"), Shell(StrCat("echo 3 >", path_, "/log"))}, state_,
      "hooks.poststop", [&](const Error& error) { complaints.push_back(error.Text()); });
  ASSERT_EQ(complaints.size(), 2u);
  EXPECT_EQ(complaints[0], "hooks.poststop[0]: /bin/sh: exit status 1");
  EXPECT_EQ(complaints[1], "hooks.poststop[1]: /bin/sh: killed by signal 9");
  EXPECT_EQ(Read("log"), "3\n");
}

TEST_F(HooksTest, TimeoutKills) {
  oci::Hook hook = Shell("exec sleep 60");
  hook.env = Environment{"PATH=/usr/bin:/bin"};
  hook.timeout = 1;
  auto before = std::chrono::steady_clock::now();
  auto ran = RunHooks({hook}, state_, "hooks.poststart");
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(ran.error().Text(), "hooks.poststart[0]: /bin/sh: killed after its timeout of 1 s");
}

TEST_F(HooksTest, MissingProgramNamesHookAndPath) {
  oci::Hook hook;
  hook.path = "/no/such/hook";
  auto ran = RunHooks({hook}, state_, "hooks.prestart");
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().Text(),
            "hooks.prestart[0]: execve /no/such/hook: no such file or directory (ENOENT)");
}

TEST_F(HooksTest, SilentHookThatReadsNothing) {
  state_.annotations["big"] = std::string(1 << 20, 'x');  // more than any pipe holds
  EXPECT_TRUE(RunHooks({Shell("true")}, state_, "hooks.x"));
  EXPECT_TRUE(RunHooks({}, state_, "hooks.x"));
}

TEST_F(HooksTest, HighExitCodesAreNoSignals) {
  auto ran = RunHooks({Shell("exit 200")}, state_, "hooks.x");
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().Text(), "hooks.x[0]: /bin/sh: exit status 200");
}

TEST_F(HooksTest, LongTimeoutsAreNotCutShort) {
  oci::Hook hook = Shell("exec sleep 0.2");
  hook.env = Environment{"PATH=/usr/bin:/bin"};
  hook.timeout = 4294968;  // times 1000 is 704 over 2^32
  hook.args[2] = "exec sleep 1.2";
  EXPECT_TRUE(RunHooks({hook}, state_, "hooks.x"));
}

}  // namespace kiste::runtime
