// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <sys/personality.h>

#include "runtime/plan.h"
#include "sys/capabilities.h"

namespace kiste::runtime {

namespace {

struct Fixture {
  Fixture() {
    process.args = {"sh"};
    process.cwd = "/";
  }
  Result<isolation::ProcessPlan> Plan() {
    ProcessRequest request{process, linux_part};
    request.own_user_namespace = own_user_namespace;
    request.set_groups = set_groups;
    request.keyring = "_ses";
    request.preserve_fds = 3;
    request.warn = [this](std::string_view text) { warnings.emplace_back(text); };
    return PlanProcess(request);
  }
  oci::Process process;
  oci::Linux linux_part;
  bool own_user_namespace = true, set_groups = true;
  std::vector<std::string> warnings;
};

}  // namespace

TEST(PlanProcess, TakesOverTheProcessObject) {
  Fixture given;
  auto& process = given.process;
  process.env = {"A=1"};
  process.cwd = "/w";
  process.user = {.uid = 1, .gid = 2, .umask = 077, .additional_gids = {3}};
  process.rlimits = {{7, 1, 2}};
  process.no_new_privileges = true;
  process.oom_score_adj = 9;
  process.terminal = true;
  process.console_size = oci::ConsoleSize{1, 2};
  process.scheduler.emplace();
  process.io_priority.emplace();
  given.linux_part.personality = oci::Personality{"LINUX32"};
  auto plan = given.Plan().value();
  EXPECT_EQ(plan.args, std::vector<std::string>{"sh"});
  EXPECT_EQ(plan.env, std::vector<std::string>{"A=1"});
  EXPECT_EQ(plan.cwd, "/w");
  EXPECT_EQ(plan.uid, 1u);
  EXPECT_EQ(plan.gid, 2u);
  EXPECT_EQ(plan.groups, std::vector<uint32_t>{3});
  EXPECT_EQ(plan.umask, 077u);
  EXPECT_EQ(plan.rlimits.size(), 1u);
  EXPECT_TRUE(plan.no_new_privileges && plan.terminal);
  EXPECT_EQ(plan.oom_score_adj, 9);
  EXPECT_TRUE(plan.console_size && plan.scheduler && plan.io_priority);
  EXPECT_EQ(plan.personality, static_cast<unsigned long>(PER_LINUX32));
  EXPECT_EQ(plan.session_keyring, "_ses");
  EXPECT_EQ(plan.preserve_fds, 3u);
  EXPECT_TRUE(plan.seccomp.filter.empty());
  EXPECT_TRUE(given.warnings.empty());
}

TEST(PlanProcess, UsualUmaskAndNoSizeWithoutATerminal) {
  Fixture given;
  given.process.console_size = oci::ConsoleSize{1, 2};
  auto plan = given.Plan().value();
  EXPECT_EQ(plan.umask, 022u);
  EXPECT_FALSE(plan.console_size);
}

TEST(PlanProcess, NeedsAProgram) {
  Fixture given;
  given.process.args.clear();
  EXPECT_EQ(given.Plan().error().kind, ErrorKind::kInvalid);
}

TEST(PlanProcess, GroupsWhereSetgroupsIsDenied) {
  Fixture given;
  given.set_groups = false;
  EXPECT_FALSE(given.Plan()->set_groups);
  given.process.user.additional_gids = {1};
  EXPECT_EQ(given.Plan().error().kind, ErrorKind::kInvalid);
}

TEST(PlanProcess, WithoutCapabilitiesNone) {
  auto plan = Fixture().Plan().value();
  EXPECT_EQ(plan.capabilities.bounding | plan.capabilities.permitted, 0u);
}

TEST(PlanProcess, OnlyPermittedAndInheritableCanBeAmbient) {
  Fixture given;
  given.process.capabilities = oci::Capabilities{
      .bounding = 7, .effective = 3, .inheritable = 1, .permitted = 3, .ambient = 7};
  auto plan = given.Plan().value();
  EXPECT_EQ(plan.capabilities.ambient, 1u);
  ASSERT_EQ(given.warnings.size(), 1u);
  EXPECT_EQ(given.warnings[0],
            "process.capabilities.ambient: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: not both "
            "permitted and inheritable: left out");
}

TEST(PlanProcess, WhatCapsetWouldRefuseIsLeftOutWithAWarning) {
  Fixture given;
  given.process.capabilities =
      oci::Capabilities{.bounding = 1, .effective = 3, .inheritable = 5, .permitted = 1};
  auto plan = given.Plan().value();
  EXPECT_EQ(plan.capabilities.effective, 1u);
  EXPECT_EQ(plan.capabilities.inheritable, 1u);
  EXPECT_EQ(given.warnings,
            (std::vector<std::string>{
                "process.capabilities.effective: CAP_DAC_OVERRIDE: not permitted: left out",
                "process.capabilities.inheritable: CAP_DAC_READ_SEARCH: not in the bounding set: "
                "left out"}));
}

TEST(PlanProcess, AmbientCapabilitiesWithoutAnyInheritableAreLeftOutInSilence) {
  Fixture given;
  given.process.capabilities = oci::Capabilities{
      .bounding = 7, .effective = 7, .inheritable = 0, .permitted = 7, .ambient = 7};
  EXPECT_EQ(given.Plan().value().capabilities.ambient, 0u);
  EXPECT_TRUE(given.warnings.empty());
}

TEST(PlanProcess, WhatWeLackIsLeftOutWithAWarning) {
  uint64_t ours = sys::GrantableCapabilities(~uint64_t{0}).value();
  constexpr uint64_t kBeyond = uint64_t{1} << 60;  // no kernel has it
  Fixture given;
  given.process.capabilities = oci::Capabilities{.bounding = ours | kBeyond,
                                                 .effective = ours | kBeyond,
                                                 .inheritable = ours | kBeyond,
                                                 .permitted = ours | kBeyond,
                                                 .ambient = ours | kBeyond};
  auto inside = given.Plan().value();  // everything is ours in there
  EXPECT_EQ(inside.capabilities.bounding, ours | kBeyond);
  EXPECT_TRUE(given.warnings.empty());
  given.own_user_namespace = false;
  auto plan = given.Plan().value();
  for (uint64_t set :
       {plan.capabilities.bounding, plan.capabilities.effective, plan.capabilities.inheritable,
        plan.capabilities.permitted, plan.capabilities.ambient}) {
    EXPECT_EQ(set, ours);
  }
  ASSERT_EQ(given.warnings.size(), 1u);
  EXPECT_NE(given.warnings[0].find("capability 60"), std::string::npos);
}

TEST(PlanProcess, UnknownCapabilitiesAreWarnedAbout) {
  Fixture given;
  given.process.ignored_capabilities = {"CAP_FLY"};
  ASSERT_TRUE(given.Plan());
  ASSERT_EQ(given.warnings.size(), 1u);
  EXPECT_NE(given.warnings[0].find("\"CAP_FLY\""), std::string::npos);
}

TEST(PlanProcess, UnconfinedIsNoProfile) {
  Fixture given;
  given.process.apparmor_profile = "unconfined";
  EXPECT_EQ(given.Plan()->apparmor_profile, "");
}

TEST(PlanProcess, SeccompIsCompiledAndErrorsNameTheField) {
  Fixture given;
  given.linux_part.seccomp.emplace();
  given.linux_part.seccomp->default_action = "SCMP_ACT_ALLOW";
  given.linux_part.seccomp->syscalls.push_back({{"mkdir"}, "SCMP_ACT_ERRNO", 13u, {}});
  auto plan = given.Plan();
  ASSERT_TRUE(plan) << plan.error().Text();
  EXPECT_GT(plan->seccomp.filter.size(), 3u);
  EXPECT_FALSE(plan->seccomp.listener.valid());
  given.linux_part.seccomp->default_action = "SCMP_ACT_NONSENSE";
  plan = given.Plan();
  ASSERT_FALSE(plan);
  EXPECT_TRUE(plan.error().Text().starts_with("linux.seccomp: ")) << plan.error().Text();
}

TEST(PlanProcess, AnAgentIsAskedForOnlyWhereARuleNotifies) {
  Fixture given;
  given.linux_part.seccomp.emplace();
  given.linux_part.seccomp->default_action = "SCMP_ACT_ALLOW";
  given.linux_part.seccomp->syscalls.push_back({{"mkdir"}, "SCMP_ACT_ERRNO", {}, {}});
  given.linux_part.seccomp->listener_path = "/no/such/agent";
  auto plan = given.Plan();
  ASSERT_TRUE(plan) << plan.error().Text();
  EXPECT_FALSE(plan->seccomp.listener.valid());
}

TEST(PlanProcess, MissingAgentIsAnError) {
  Fixture given;
  given.linux_part.seccomp.emplace();
  given.linux_part.seccomp->default_action = "SCMP_ACT_ALLOW";
  given.linux_part.seccomp->syscalls.push_back({{"mkdir"}, "SCMP_ACT_NOTIFY", {}, {}});
  given.linux_part.seccomp->listener_path = "/no/such/agent";
  auto plan = given.Plan();
  ASSERT_FALSE(plan);
  EXPECT_TRUE(plan.error().Text().starts_with("linux.seccomp.listenerPath: connect /no/such/agent"))
      << plan.error().Text();
}

}  // namespace kiste::runtime
