// SPDX-License-Identifier: Apache-2.0
//
// process, with parse_process.cc and parse_scheduling.cc.
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>

#include <limits>

#include "oci/config_text.h"

namespace kiste::oci {

namespace {

std::string WithWholeProcess(const std::string& process) {
  return StrCat(R"({"ociVersion": "1.3.0", "root": {"path": "r"}, "process": )", process, "}");
}

std::string WithScheduler(const std::string& members) {
  return WithProcess(StrCat(R"("scheduler": {)", members, "}"));
}

constexpr uint64_t Bit(int capability) { return uint64_t{1} << capability; }

}  // namespace

TEST(Process, ReadsEveryMember) {
  Process process = *MustParse(Seed("everything.json")).process;
  EXPECT_TRUE(process.terminal);
  EXPECT_EQ(process.console_size->rows, 25);
  EXPECT_EQ(process.console_size->columns, 80);
  EXPECT_EQ(process.user.uid, 1u);
  EXPECT_EQ(process.user.gid, 2u);
  EXPECT_EQ(process.user.umask, 077u);
  EXPECT_EQ(process.user.additional_gids, (std::vector<uint32_t>{5, 6}));
  EXPECT_EQ(process.args, (std::vector<std::string>{"sh", "-c", "true"}));
  EXPECT_EQ(process.env, (std::vector<std::string>{"PATH=/bin", "EMPTY="}));
  EXPECT_EQ(process.cwd, "/root");
  EXPECT_TRUE(process.no_new_privileges);
  EXPECT_EQ(process.oom_score_adj, -500);
  EXPECT_EQ(process.apparmor_profile, "acme");
  EXPECT_EQ(process.selinux_label, "system_u:system_r:svirt_lxc_net_t:s0:c124,c675");
  EXPECT_EQ(process.scheduler->policy, 6u);
  EXPECT_EQ(process.scheduler->nice, 5);
  EXPECT_EQ(process.scheduler->flags, 0x05u);
  EXPECT_EQ(process.scheduler->period, 3000000u);
  EXPECT_EQ(process.io_priority->io_class, 3);
  EXPECT_EQ(process.io_priority->priority, 4);
  EXPECT_EQ(process.exec_cpu_affinity->initial, "7");
  EXPECT_EQ(process.exec_cpu_affinity->final, "0-3,7");
}

TEST(Process, ReadsCapabilitiesAndKeepsUnknownOnesApart) {
  Process process = *MustParse(Seed("everything.json")).process;
  EXPECT_EQ(process.capabilities->bounding, Bit(CAP_CHOWN) | Bit(CAP_CHECKPOINT_RESTORE));
  EXPECT_EQ(process.capabilities->effective, Bit(CAP_KILL));
  EXPECT_EQ(process.capabilities->permitted, Bit(CAP_KILL));
  EXPECT_EQ(process.capabilities->inheritable, 0u);
  EXPECT_EQ(process.capabilities->ambient, 0u);
  EXPECT_EQ(process.ignored_capabilities, (std::vector<std::string>{"CAP_ALSO_NOPE", "CAP_NOPE"}));
}

TEST(Process, TellsAbsentSetsFromEmptyOnes) {
  EXPECT_FALSE(MustParse(WithProcess("")).process->capabilities);
  Process process = *MustParse(WithProcess(R"("capabilities": {"bounding": []})")).process;
  EXPECT_EQ(process.capabilities->bounding, 0u);
  EXPECT_FALSE(process.capabilities->effective);
}

TEST(Process, ReadsRlimitsUpToInfinity) {
  Process process = *MustParse(Seed("everything.json")).process;
  ASSERT_EQ(process.rlimits.size(), 2u);
  EXPECT_EQ(process.rlimits[0].resource, RLIMIT_NOFILE);
  EXPECT_EQ(process.rlimits[0].soft, 1024u);
  EXPECT_EQ(process.rlimits[0].hard, 4096u);
  EXPECT_EQ(process.rlimits[1].resource, RLIMIT_CORE);
  EXPECT_EQ(process.rlimits[1].hard, std::numeric_limits<uint64_t>::max());
}

TEST(Process, IsRootWithoutAUser) {
  Process process = *MustParse(WithProcess("")).process;
  EXPECT_EQ(process.user.uid, 0u);
  EXPECT_EQ(process.user.gid, 0u);
  EXPECT_FALSE(process.user.umask);
  EXPECT_FALSE(process.oom_score_adj);
}

TEST(Process, IgnoresTheConsoleSizeWithoutATerminal) {
  std::string size = R"("consoleSize": {"height": 30, "width": 100})";
  EXPECT_FALSE(MustParse(WithProcess(size)).process->console_size);
  for (const char* ignored : {R"("consoleSize": {})", R"("consoleSize": {"height": -1})"})
    EXPECT_FALSE(MustParse(WithProcess(ignored)).process->console_size);
  EXPECT_FALSE(MustParse(WithProcess(R"("terminal": true)")).process->console_size);
}

TEST(Process, RefusesWrongCommands) {
  ExpectRefusals({
      {WithWholeProcess("{}"), "process.args: expected a command and its arguments, found nothing"},
      {WithWholeProcess(R"({"args": [], "cwd": "/"})"),
       "process.args: expected a command and its arguments, found []"},
      {WithWholeProcess(R"({"args": [""], "cwd": "/"})"),
       R"(process.args[0]: expected a command, found "")"},
      {WithWholeProcess(R"({"args": ["a", 5], "cwd": "/"})"),
       "process.args[1]: expected a string without a NUL character, found 5"},
      {WithWholeProcess(R"({"args": "sh", "cwd": "/"})"),
       R"(process.args: expected an array of strings, found "sh")"},
      {WithWholeProcess(R"({"args": ["sh"]})"),
       "process.cwd: expected an absolute path, found nothing"},
      {WithWholeProcess(R"({"args": ["sh"], "cwd": "tmp"})"),
       R"(process.cwd: expected an absolute path, found "tmp")"},
      {WithProcess(R"("env": ["A=1", "B"])"), R"(process.env[1]: expected NAME=value, found "B")"},
      {WithProcess(R"("env": ["=x"])"), R"(process.env[0]: expected NAME=value, found "=x")"},
      {WithProcess(R"("terminal": 1)"), "process.terminal: expected true or false, found 1"},
      {WithProcess(R"("terminal": true, "consoleSize": {"height": 65536, "width": 1})"),
       "process.consoleSize.height: expected a whole number from 0 to 65535, found 65536"},
      {WithProcess(R"("terminal": true, "consoleSize": {"height": 1})"),
       "process.consoleSize.width: expected a whole number from 0 to 65535, found nothing"},
  });
}

TEST(Process, RefusesWrongUsersAndLimits) {
  const std::string kRlimits =
      "RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_LOCKS, "
      "RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RSS, "
      "RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_SIGPENDING, RLIMIT_STACK";
  ExpectRefusals({
      {WithProcess(R"("user": 0)"), "process.user: expected an object, found 0"},
      {WithProcess(R"("user": {"uid": "root"})"),
       R"(process.user.uid: expected an unsigned number of 32 bits, found "root")"},
      {WithProcess(R"("user": {"uid": -1})"),
       "process.user.uid: expected an unsigned number of 32 bits, found -1"},
      {WithProcess(R"("user": {"gid": 4294967295})"),
       "process.user.gid: expected an id below 4294967295, found 4294967295"},
      {WithProcess(R"("user": {"additionalGids": [1, 4294967296]})"),
       "process.user.additionalGids[1]: expected an unsigned number of 32 bits, found 4294967296"},
      {WithProcess(R"("user": {"umask": 777})"),
       "process.user.umask: expected a whole number from 0 to 511, found 777"},
      {WithProcess(R"("capabilities": ["CAP_KILL"])"),
       R"(process.capabilities: expected an object, found ["CAP_KILL"])"},
      {WithProcess(R"("capabilities": {"ambient": "CAP_KILL"})"),
       R"(process.capabilities.ambient: expected an array of strings, found "CAP_KILL")"},
      {WithProcess(R"("rlimits": [{"type": "RLIMIT_FOO", "soft": 1, "hard": 1}])"),
       StrCat("process.rlimits[0].type: expected one of ", kRlimits, R"(, found "RLIMIT_FOO")")},
      {WithProcess(R"("rlimits": [{"type": "RLIMIT_CPU", "soft": -1, "hard": 1}])"),
       "process.rlimits[0].soft: expected an unsigned number of 64 bits, found -1"},
      {WithProcess(R"("rlimits": [{"type": "RLIMIT_CPU", "soft": 1}])"),
       "process.rlimits[0].hard: expected an unsigned number of 64 bits, found nothing"},
      {WithProcess(R"("rlimits": [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}])"),
       "process.rlimits[0]: the soft limit 2 is above the hard one, 1"},
      {WithProcess(R"("rlimits": [{"type": "RLIMIT_CPU", "soft": 1, "hard": 1},
                                  {"type": "RLIMIT_CPU", "soft": 1, "hard": 1}])"),
       "process.rlimits[1]: element 0 limits RLIMIT_CPU already"},
      {WithProcess(R"("oomScoreAdj": 1001)"),
       "process.oomScoreAdj: expected a whole number from -1000 to 1000, found 1001"},
      {WithProcess(R"("oomScoreAdj": 1.5)"),
       "process.oomScoreAdj: expected a whole number from -1000 to 1000, found 1.5"},
  });
}

TEST(Process, RefusesWrongScheduling) {
  ExpectRefusals({
      {WithScheduler(""),
       "process.scheduler.policy: expected one of SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, "
       "SCHED_ISO, SCHED_IDLE, SCHED_DEADLINE, found nothing"},
      {WithScheduler(R"("policy": "SCHED_FIFO")"),
       "process.scheduler.priority: SCHED_FIFO needs one from 1 to 99, found 0"},
      {WithScheduler(R"("policy": "SCHED_RR", "priority": 100)"),
       "process.scheduler.priority: SCHED_RR needs one from 1 to 99, found 100"},
      {WithScheduler(R"("policy": "SCHED_OTHER", "priority": 1)"),
       "process.scheduler.priority: only SCHED_FIFO and SCHED_RR have one, the policy is "
       "SCHED_OTHER"},
      {WithScheduler(R"("policy": "SCHED_OTHER", "nice": 20)"),
       "process.scheduler.nice: expected a whole number from -20 to 19, found 20"},
      {WithScheduler(R"("policy": "SCHED_BATCH", "period": 1)"),
       "process.scheduler: runtime, deadline and period are for SCHED_DEADLINE, the policy is "
       "SCHED_BATCH"},
      {WithScheduler(R"("policy": "SCHED_OTHER", "flags": ["X"])"),
       "process.scheduler.flags[0]: expected one of SCHED_FLAG_RESET_ON_FORK, SCHED_FLAG_RECLAIM, "
       "SCHED_FLAG_DL_OVERRUN, SCHED_FLAG_KEEP_POLICY, SCHED_FLAG_KEEP_PARAMS, "
       R"(SCHED_FLAG_UTIL_CLAMP_MIN, SCHED_FLAG_UTIL_CLAMP_MAX, found "X")"},
      {WithProcess(R"("ioPriority": {"class": "IOPRIO_CLASS_NONE", "priority": 0})"),
       "process.ioPriority.class: expected one of IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, "
       R"(IOPRIO_CLASS_IDLE, found "IOPRIO_CLASS_NONE")"},
      {WithProcess(R"("ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 8})"),
       "process.ioPriority.priority: expected a whole number from 0 to 7, found 8"},
      {WithProcess(R"("execCPUAffinity": {"initial": "0-"})"),
       "process.execCPUAffinity.initial: expected a list of numbers and ranges like 0-3,7, "
       R"(found "0-")"},
      {WithProcess(R"("execCPUAffinity": {"final": "3-1"})"),
       "process.execCPUAffinity.final: expected a list of numbers and ranges like 0-3,7, "
       R"(found "3-1")"},
  });
}

}  // namespace kiste::oci
