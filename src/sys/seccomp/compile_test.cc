// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>

#include <csignal>
#include <functional>
#include <utility>

#include "base/strings.h"
#include "sys/seccomp/filtered_child.h"
#include "sys/seccomp/seccomp.h"

namespace kiste::sys {
namespace {

#ifdef __SANITIZE_THREAD__

TEST(SeccompCompile, CannotBeTestedWithThreadSanitizer) {
  GTEST_SKIP() << "SKIPPED LOUDLY: ThreadSanitizer keeps a thread of its own in every child, which "
                  "outlives SCMP_ACT_KILL_THREAD";
}

#else

constexpr long kKilled = -1000 - SIGSYS;
constexpr uint32_t kMarker = 77;  // an errno that no call used here returns by itself

SeccompProfile Default(std::string action) { return {.default_action = std::move(action)}; }

// A profile that lets everything pass but getppid, which gets `action`.
SeccompProfile Getppid(std::string action, std::optional<uint32_t> errno_ret = std::nullopt) {
  auto profile = Default("SCMP_ACT_ALLOW");
  profile.syscalls.push_back({{"getppid"}, std::move(action), errno_ret, {}});
  return profile;
}

// The same, with kMarker as errno, under conditions.
SeccompProfile GetppidIf(std::vector<SeccompArg> args) {
  auto profile = Getppid("SCMP_ACT_ERRNO", kMarker);
  profile.syscalls[0].args = std::move(args);
  return profile;
}

SeccompProgram Compiled(const SeccompProfile& profile) {
  auto program = CompileSeccomp(profile);
  if (!program) {
    ADD_FAILURE() << program.error().Text();
    abort();
  }
  return *std::move(program);
}

std::string Refusal(const SeccompProfile& profile) {
  auto program = CompileSeccomp(profile);
  return program ? "compiled" : program.error().Text();
}

TEST(SeccompAction, ErrnoIsEpermUnlessSaid) {
  EXPECT_EQ(CallUnder(Compiled(Getppid("SCMP_ACT_ERRNO")), SYS_getppid), -EPERM);
  EXPECT_EQ(CallUnder(Compiled(Getppid("SCMP_ACT_ERRNO", 22)), SYS_getppid), -EINVAL);
  EXPECT_EQ(CallUnder(Compiled(Getppid("SCMP_ACT_ERRNO", 0)), SYS_getppid), 0);
  EXPECT_EQ(CallUnder(Compiled(Getppid("SCMP_ACT_ERRNO", 4094)), SYS_getppid), -4094);
}

TEST(SeccompAction, KillProcessAndTrapEndTheProcess) {
  EXPECT_EQ(CallUnder(Compiled(Getppid("SCMP_ACT_KILL_PROCESS")), SYS_getppid), kKilled);
  EXPECT_EQ(CallUnder(Compiled(Getppid("SCMP_ACT_TRAP")), SYS_getppid), kKilled);
  EXPECT_EQ(CallUnder(Compiled(Getppid("SCMP_ACT_KILL")), SYS_getppid), kKilled);
  EXPECT_EQ(CallUnder(Compiled(Getppid("SCMP_ACT_KILL_THREAD")), SYS_getppid), kKilled);
}

// A thread that makes the call beside one that does not; what becomes of the process.
Outcome CallInThread(const SeccompProgram& program) {
  return Under(program, [](long* value, int) {
    pthread_t thread;
    pthread_create(
        &thread, nullptr,
        [](void*) -> void* {
          syscall(SYS_getppid);
          return nullptr;
        },
        nullptr);
    pthread_join(thread, nullptr);
    value[0] = 1;
  });
}

TEST(SeccompAction, KillThreadLeavesTheOthers) {
  for (const char* action : {"SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD"}) {
    auto outcome = CallInThread(Compiled(Getppid(action)));
    EXPECT_TRUE(outcome.exited()) << action;
    EXPECT_EQ(outcome.value[0], 1) << action;
  }
  auto outcome = CallInThread(Compiled(Getppid("SCMP_ACT_KILL_PROCESS")));
  EXPECT_EQ(outcome.signal(), SIGSYS);
}

TEST(SeccompAction, TrapIsASignalThatNamesTheCall) {
  static long* seen;
  auto outcome = Under(Compiled(Getppid("SCMP_ACT_TRAP")), [](long* value, int) {
    seen = value;
    struct sigaction action{};
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = [](int, siginfo_t* info, void*) { seen[0] = info->si_syscall; };
    sigaction(SIGSYS, &action, nullptr);
    syscall(SYS_getppid);
  });
  EXPECT_TRUE(outcome.exited());
  EXPECT_EQ(outcome.value[0], SYS_getppid);
}

TEST(SeccompAction, AllowAndLogLetPass) {
  EXPECT_EQ(CallUnder(Compiled(Getppid("SCMP_ACT_LOG")), SYS_getppid), getpid());
  auto profile = Default("SCMP_ACT_ERRNO");
  profile.syscalls.push_back({{"getppid", "exit_group"}, "SCMP_ACT_ALLOW", std::nullopt, {}});
  EXPECT_EQ(CallUnder(Compiled(profile), SYS_getppid), getpid());
  EXPECT_EQ(CallUnder(Compiled(profile), SYS_getpid), -EPERM);
}

TEST(SeccompAction, TraceWithoutATracerIsEnosys) {
  EXPECT_EQ(CallUnder(Compiled(Getppid("SCMP_ACT_TRACE")), SYS_getppid), -ENOSYS);
}

// The number that a tracer is told about getppid under `program`; -1 when it was not told.
long TracedMessage(const SeccompProgram& program) {
  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    if (Install(program) < 0) _exit(1);
    syscall(SYS_getppid);
    _exit(0);
  }
  if (child < 0) return -1;
  int status = 0;
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL);
  ptrace(PTRACE_CONT, child, nullptr, nullptr);
  waitpid(child, &status, 0);
  unsigned long message = 0;
  bool told = status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8) &&
              ptrace(PTRACE_GETEVENTMSG, child, nullptr, &message) == 0;
  if (WIFSTOPPED(status)) {
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
  }
  return told ? static_cast<long>(message) : -1;
}

TEST(SeccompAction, TraceTellsTheTracerItsNumber) {
  EXPECT_EQ(TracedMessage(Compiled(Getppid("SCMP_ACT_TRACE", 4711))), 4711);
  EXPECT_EQ(TracedMessage(Compiled(Getppid("SCMP_ACT_TRACE", 0xffff))), 0xffff);
  EXPECT_EQ(TracedMessage(Compiled(Getppid("SCMP_ACT_TRACE"))), EPERM);
}

// A grandchild calls getppid, the child answers 4711 through its listener.
Outcome Notified(const SeccompProgram& program) {
  return Under(program, [](long* value, int listener) {
    pid_t caller = fork();
    if (caller == 0) {
      value[0] = Call(SYS_getppid);
      syscall(SYS_exit_group, 0);
      __builtin_trap();
    }
    if (caller < 0) return;
    pollfd ready{listener, POLLIN, 0};
    seccomp_notif notification{};
    seccomp_notif_resp response{};
    if (poll(&ready, 1, 10000) != 1) {
      kill(caller, SIGKILL);
      return;
    }
    value[1] = ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification);
    value[2] = notification.data.nr;
    response.id = notification.id;
    response.val = 4711;
    value[3] = ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    waitpid(caller, nullptr, 0);
  });
}

TEST(SeccompAction, NotifyAsksTheListener) {
  for (const char* flag : {"", "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                           "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"}) {
    auto profile = Getppid("SCMP_ACT_NOTIFY");
    if (*flag != '\0') profile.flags = {flag};
    auto program = Compiled(profile);
    EXPECT_TRUE(program.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER);
    auto outcome = Notified(program);
    EXPECT_GT(outcome.installed, 0) << flag;
    EXPECT_EQ(outcome.value[1], 0) << flag;
    EXPECT_EQ(outcome.value[2], SYS_getppid) << flag;
    EXPECT_EQ(outcome.value[3], 0) << flag;
    EXPECT_EQ(outcome.value[0], 4711) << flag;
  }
}

TEST(SeccompDefault, EachActionAnswersCallsWithoutARule) {
  const std::pair<const char*, long> expected[] = {
      {"SCMP_ACT_ALLOW", getpid()},       {"SCMP_ACT_LOG", getpid()},
      {"SCMP_ACT_ERRNO", -EPERM},         {"SCMP_ACT_TRACE", -ENOSYS},
      {"SCMP_ACT_KILL", kKilled},         {"SCMP_ACT_KILL_THREAD", kKilled},
      {"SCMP_ACT_KILL_PROCESS", kKilled}, {"SCMP_ACT_TRAP", kKilled},
  };
  for (const auto& [action, result] : expected) {
    auto profile = Default(action);
    profile.syscalls.push_back({{"exit_group"}, "SCMP_ACT_ALLOW", std::nullopt, {}});
    EXPECT_EQ(CallUnder(Compiled(profile), SYS_getppid), result) << action;
  }
  auto profile = Default("SCMP_ACT_ERRNO");
  profile.default_errno_ret = kMarker;
  profile.syscalls.push_back({{"exit_group"}, "SCMP_ACT_ALLOW", std::nullopt, {}});
  EXPECT_EQ(CallUnder(Compiled(profile), SYS_getppid), -long{kMarker});
}

TEST(SeccompDefault, ARuleThatSaysTheSameIsLeftOut) {
  auto profile = Default("SCMP_ACT_ERRNO");
  profile.syscalls.push_back({{"getppid"}, "SCMP_ACT_ERRNO", EPERM, {}});
  profile.syscalls.push_back({{"exit_group"}, "SCMP_ACT_ALLOW", std::nullopt, {}});
  EXPECT_EQ(CallUnder(Compiled(profile), SYS_getppid), -EPERM);
  auto program = Compiled(Default("SCMP_ACT_ALLOW"));
  EXPECT_EQ(CallUnder(program, SYS_getppid), getpid());
  EXPECT_EQ(program.flags, 0U);
}

// --- conditions
// -----------------------------------------------------------------------------------

constexpr uint64_t kNumbers[] = {
    0,          1,           5,           0x7fffffff,         0x80000000,
    0xffffffff, 0x100000000, 0x100000005, 0x8000000000000000, ~uint64_t{0}};

using Compare = std::function<bool(uint64_t argument, uint64_t datum)>;

// Whether the rule catches each of kNumbers as argument `index`, against `holds`.
void ExpectCondition(const SeccompArg& arg, const std::function<bool(uint64_t)>& holds) {
  auto outcome = Under(Compiled(GetppidIf({arg})), [&arg](long* value, int) {
    for (size_t i = 0; i < std::size(kNumbers); ++i) {
      uint64_t a[6] = {};
      a[arg.index] = kNumbers[i];
      value[i] = Call(SYS_getppid, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
  });
  ASSERT_TRUE(outcome.exited());
  for (size_t i = 0; i < std::size(kNumbers); ++i) {
    EXPECT_EQ(outcome.value[i] == -long{kMarker}, holds(kNumbers[i]))
        << arg.op << " index " << arg.index << " datum " << arg.value << " two " << arg.value_two
        << " argument " << kNumbers[i];
  }
}

TEST(SeccompCondition, EveryOperatorComparesAll64Bits) {
  const std::pair<const char*, Compare> operators[] = {
      {"SCMP_CMP_EQ", std::equal_to<uint64_t>()}, {"SCMP_CMP_NE", std::not_equal_to<uint64_t>()},
      {"SCMP_CMP_LT", std::less<uint64_t>()},     {"SCMP_CMP_LE", std::less_equal<uint64_t>()},
      {"SCMP_CMP_GT", std::greater<uint64_t>()},  {"SCMP_CMP_GE", std::greater_equal<uint64_t>()},
  };
  uint32_t index = 0;
  for (const auto& [op, compare] : operators) {
    for (uint64_t datum : kNumbers) {
      ExpectCondition({index, datum, 0, op},
                      [&](uint64_t argument) { return compare(argument, datum); });
      index = (index + 1) % 6;
    }
  }
}

TEST(SeccompCondition, MaskedEqualityMasksTheArgument) {
  const std::pair<uint64_t, uint64_t> masks[] = {
      {0xffffffff, 5},
      {0xffffffff, 0},
      {0x80000000, 0x80000000},
      {0x100000000, 0},
      {0x100000000, 0x100000000},
      {~uint64_t{0}, 0xffffffff},
      {0xffffffff00000000, 0x100000000},
      {1, 1},
      {0x7e020000, 0},
  };
  for (const auto& [mask, datum] : masks) {
    ExpectCondition(
        {0, mask, datum, "SCMP_CMP_MASKED_EQ"},
        [bits = mask, wanted = datum](uint64_t argument) { return (argument & bits) == wanted; });
  }
}

// Results of getppid with each pair of 0..2 as first and third argument.
std::array<long, 9> Pairs(std::vector<SeccompArg> args) {
  auto outcome = Under(Compiled(GetppidIf(std::move(args))), [](long* value, int) {
    for (long i = 0; i < 9; ++i) value[i] = Call(SYS_getppid, i / 3, 0L, i % 3);
  });
  EXPECT_TRUE(outcome.exited());
  std::array<long, 9> caught{};
  for (size_t i = 0; i < 9; ++i) caught[i] = outcome.value[i] == -long{kMarker};
  return caught;
}

TEST(SeccompCondition, DifferentIndicesMustAllHold) {
  EXPECT_EQ(Pairs({{0, 1, 0, "SCMP_CMP_EQ"}, {2, 2, 0, "SCMP_CMP_EQ"}}),
            (std::array<long, 9>{0, 0, 0, 0, 0, 1, 0, 0, 0}));
}

TEST(SeccompCondition, ASharedIndexMakesEachARule) {
  EXPECT_EQ(Pairs({{0, 1, 0, "SCMP_CMP_EQ"}, {0, 2, 0, "SCMP_CMP_EQ"}}),
            (std::array<long, 9>{0, 0, 0, 1, 1, 1, 1, 1, 1}));
  // Then the condition on the other index is a rule of its own, too.
  EXPECT_EQ(Pairs({{0, 1, 0, "SCMP_CMP_EQ"}, {0, 2, 0, "SCMP_CMP_EQ"}, {2, 0, 0, "SCMP_CMP_EQ"}}),
            (std::array<long, 9>{1, 0, 0, 1, 1, 1, 1, 1, 1}));
}

TEST(SeccompCondition, RulesOfOneCallAddUp) {
  auto profile = GetppidIf({{0, 1, 0, "SCMP_CMP_EQ"}});
  profile.syscalls.push_back({{"getppid"}, "SCMP_ACT_ERRNO", 78, {{0, 2, 0, "SCMP_CMP_EQ"}}});
  profile.syscalls.push_back(profile.syscalls[0]);  // said twice
  auto program = Compiled(profile);
  EXPECT_EQ(CallUnder(program, SYS_getppid, 0), getpid());
  EXPECT_EQ(CallUnder(program, SYS_getppid, 1), -77);
  EXPECT_EQ(CallUnder(program, SYS_getppid, 2), -78);
}

// What libseccomp makes of it, and with it runc and crun; podman's profile has such names.
TEST(SeccompCondition, OfRulesWithoutConditionsTheFirstCounts) {
  for (int others : {0, 40}) {  // without the tree, with it
    auto profile = Getppid("SCMP_ACT_ERRNO", kMarker);
    profile.syscalls.push_back({{"getppid"}, "SCMP_ACT_ERRNO", 78, {}});
    for (int i = 0; i < others; ++i) {
      auto name = i < 20 ? "mkdir" : "rmdir";
      profile.syscalls.push_back(
          {{name}, "SCMP_ACT_ERRNO", 78, {{0, static_cast<uint64_t>(i), 0, "SCMP_CMP_EQ"}}});
    }
    EXPECT_EQ(CallUnder(Compiled(profile), SYS_getppid), -long{kMarker});
  }
}

// --- numbers and architectures
// --------------------------------------------------------------------

// openat2 is the largest number named here: 437 on every architecture but alpha.
SeccompProfile Newest(std::string default_action) {
  auto profile = Default(std::move(default_action));
  profile.syscalls.push_back(
      {{"exit_group", "openat2", "no_such_call"}, "SCMP_ACT_ALLOW", std::nullopt, {}});
  return profile;
}

TEST(SeccompEnosys, CallsAboveTheNewestNamedOneDoNotExist) {
  for (const char* action : {"SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"}) {
    auto program = Compiled(Newest(action));
    long unlisted = std::string_view(action) == "SCMP_ACT_ERRNO" ? -EPERM : kKilled;
    EXPECT_EQ(CallUnder(program, SYS_getppid), unlisted) << action;
    EXPECT_EQ(CallUnder(program, 436), unlisted) << action;
    for (long number : {438L, 500L, 600L, 100000L, 0x3fffffffL}) {
      EXPECT_EQ(CallUnder(program, number), -ENOSYS) << action << " " << number;
    }
    EXPECT_EQ(program.ignored, std::vector<std::string>{"no_such_call"});
  }
}

TEST(SeccompEnosys, DefaultsThatLetPassHaveNoStub) {
  for (const char* action : {"SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"}) {
    auto profile = Newest(action);
    profile.syscalls[0].action = "SCMP_ACT_ERRNO";
    profile.syscalls[0].names = {"getppid", "openat2"};
    profile.syscalls.push_back({{"exit_group"}, "SCMP_ACT_ALLOW", std::nullopt, {}});
    EXPECT_EQ(CallUnder(Compiled(profile), 600), -ENOSYS) << action;
    auto bare = profile;
    bare.default_action = "SCMP_ACT_ERRNO";
    bare.default_errno_ret = 78;
    EXPECT_LT(Compiled(profile).filter.size(), Compiled(bare).filter.size()) << action;
  }
}

TEST(SeccompEnosys, ADefaultOfEnosysNeedsNoStub) {
  auto profile = Newest("SCMP_ACT_ERRNO");
  auto with_stub = Compiled(profile);
  profile.default_errno_ret = ENOSYS;
  auto without = Compiled(profile);
  EXPECT_LT(without.filter.size(), with_stub.filter.size());
  EXPECT_EQ(CallUnder(without, 600), -ENOSYS);
  EXPECT_EQ(CallUnder(without, SYS_getppid), -ENOSYS);
}

#ifdef __x86_64__

constexpr long kX32 = 1L << 30;

TEST(SeccompArchitecture, X32IsKilledUnlessListed) {
  auto profile = Newest("SCMP_ACT_ERRNO");
  EXPECT_EQ(CallUnder(Compiled(profile), kX32 | SYS_getppid), kKilled);
  EXPECT_EQ(CallUnder(Compiled(profile), kX32 | 600), kKilled);
  profile.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  EXPECT_EQ(CallUnder(Compiled(profile), kX32 | SYS_getppid), -EPERM);
  EXPECT_EQ(CallUnder(Compiled(profile), kX32 | 600), -ENOSYS);
  EXPECT_EQ(CallUnder(Compiled(profile), SYS_getppid), -EPERM);
  EXPECT_EQ(CallUnder(Compiled(profile), 600), -ENOSYS);
}

constexpr long kI386Getppid = 64;

// A system call of the i386 ABI, with its first argument.
long CallI386(long number, unsigned argument = 0) {
  long result = 0;
  asm volatile("int $0x80"
               : "=a"(result)
               : "0"(number), "b"(argument), "c"(0L), "d"(0L)
               : "memory", "r8", "r9", "r10", "r11");
  return static_cast<int>(result);
}

long CallI386Under(const SeccompProgram& program, long number, unsigned argument = 0) {
  auto outcome = Under(program, [&](long* value, int) { value[0] = CallI386(number, argument); });
  return outcome.signal() != 0 ? -1000 - outcome.signal() : outcome.value[0];
}

class SeccompI386 : public testing::Test {
 protected:
  void SetUp() override {
    if (CallI386Under(Compiled(Default("SCMP_ACT_LOG")), kI386Getppid) == -1000 - SIGSEGV) {
      GTEST_SKIP() << "SKIPPED LOUDLY: this kernel has no 32-bit system calls";
    }
  }
};

TEST_F(SeccompI386, IsKilledUnlessListed) {
  auto profile = Newest("SCMP_ACT_ERRNO");
  EXPECT_EQ(CallI386Under(Compiled(profile), kI386Getppid), kKilled);
  profile.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  EXPECT_EQ(CallI386Under(Compiled(profile), kI386Getppid), -EPERM);
  EXPECT_EQ(CallI386Under(Compiled(profile), 600), -ENOSYS);
}

TEST_F(SeccompI386, ListedAloneStillLeavesTheNativeOne) {
  auto profile = GetppidIf({{0, 5, 0, "SCMP_CMP_EQ"}});
  profile.architectures = {"SCMP_ARCH_X86"};
  auto program = Compiled(profile);
  EXPECT_EQ(CallUnder(program, SYS_getppid, 5), -long{kMarker});
  EXPECT_EQ(CallUnder(program, SYS_getppid, 6), getpid());
  EXPECT_EQ(CallI386Under(program, kI386Getppid, 5), -long{kMarker});
  EXPECT_EQ(CallI386Under(program, kI386Getppid, 6), getpid());
}

TEST_F(SeccompI386, ComparesThe32BitsThatAnArgumentHas) {
  for (auto [value, mask] :
       {std::pair{0xffffffffULL, 0ULL}, std::pair{0x80000000ULL, 0x80000000ULL}}) {
    auto profile = GetppidIf({mask != 0 ? SeccompArg{0, mask, value, "SCMP_CMP_MASKED_EQ"}
                                        : SeccompArg{0, value, 0, "SCMP_CMP_EQ"}});
    profile.architectures = {"SCMP_ARCH_X86"};
    EXPECT_EQ(CallI386Under(Compiled(profile), kI386Getppid, 0xffffffff), -long{kMarker});
    EXPECT_EQ(CallI386Under(Compiled(profile), kI386Getppid, 0x7fffffff), getpid());
  }
}

TEST(SeccompArchitecture, MixesOnlyOneByteOrder) {
  auto profile = Getppid("SCMP_ACT_ERRNO");
  profile.architectures = {"SCMP_ARCH_S390X"};
  EXPECT_EQ(Refusal(profile),
            "architectures[0]: SCMP_ARCH_S390X has another byte order than this machine");
  profile.architectures = {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_RISCV64"};
  EXPECT_EQ(CallUnder(Compiled(profile), SYS_getppid), -EPERM);
}

#endif  // __x86_64__

// --- flags
// ----------------------------------------------------------------------------------------

TEST(SeccompFlag, EachIsItsBitAndTheKernelTakesIt) {
  const std::pair<const char*, uint32_t> flags[] = {
      {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
      {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
      {"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
  };
  auto all = Getppid("SCMP_ACT_ERRNO");
  uint32_t bits = 0;
  for (const auto& [flag, bit] : flags) {
    auto profile = Getppid("SCMP_ACT_ERRNO");
    profile.flags = {flag};
    auto program = Compiled(profile);
    EXPECT_EQ(program.flags, bit) << flag;
    EXPECT_EQ(CallUnder(program, SYS_getppid), -EPERM) << flag;
    all.flags.emplace_back(flag);
    bits |= bit;
  }
  EXPECT_EQ(Compiled(all).flags, bits);
  EXPECT_EQ(CallUnder(Compiled(all), SYS_getppid), -EPERM);
}

TEST(SeccompFlag, NotifyBringsTheListenerAndWhatGoesWithIt) {
  auto profile = Getppid("SCMP_ACT_NOTIFY");
  EXPECT_EQ(Compiled(profile).flags, SECCOMP_FILTER_FLAG_NEW_LISTENER);
  profile.flags = {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  EXPECT_EQ(Compiled(profile).flags, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC |
                                         SECCOMP_FILTER_FLAG_TSYNC_ESRCH |
                                         SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
}

// --- what is refused
// ------------------------------------------------------------------------------

TEST(SeccompRefusal, NamesTheFieldAndTheValue) {
  EXPECT_EQ(Refusal(Default("SCMP_ACT_NONE")), "defaultAction: unknown action \"SCMP_ACT_NONE\"");
  EXPECT_EQ(Refusal(Default("")), "defaultAction: unknown action \"\"");
  EXPECT_EQ(Refusal(Default("SCMP_ACT_NOTIFY")),
            "defaultAction: SCMP_ACT_NOTIFY cannot be the default action");
  EXPECT_EQ(Refusal(Getppid("allow")), "syscalls[0].action: unknown action \"allow\"");
  EXPECT_EQ(Refusal(Getppid("SCMP_ACT_ERRNO", 4095)),
            "syscalls[0].action: errnoRet 4095 is over 4094");
  EXPECT_EQ(Refusal(Getppid("SCMP_ACT_TRACE", 65536)),
            "syscalls[0].action: errnoRet 65536 is over 65535");
  EXPECT_EQ(Refusal(Getppid("SCMP_ACT_KILL", 1)),
            "syscalls[0].action: errnoRet 1 with SCMP_ACT_KILL, which returns no errno");
  EXPECT_EQ(Refusal(GetppidIf({{0, 0, 0, "SCMP_CMP_EQ"}, {6, 0, 0, "SCMP_CMP_EQ"}})),
            "syscalls[0].args[1].index: 6 is over 5");
  EXPECT_EQ(Refusal(GetppidIf({{0, 0, 0, "=="}})),
            "syscalls[0].args[0].op: unknown operator \"==\"");
}

TEST(SeccompRefusal, ArchitecturesFlagsAndNames) {
  auto profile = Getppid("SCMP_ACT_ERRNO");
  profile.architectures = {"SCMP_ARCH_X86_64", "x86_64"};
  EXPECT_EQ(Refusal(profile), "architectures[1]: unknown architecture \"x86_64\"");
  profile.architectures = {"SCMP_ARCH_SHEB"};
  EXPECT_EQ(Refusal(profile),
            "architectures[0]: this libseccomp does not know the architecture "
            "SCMP_ARCH_SHEB");
  profile.architectures = {};
  profile.flags = {"SECCOMP_FILTER_FLAG_NEW_LISTENER"};
  EXPECT_EQ(Refusal(profile), "flags[0]: unknown flag \"SECCOMP_FILTER_FLAG_NEW_LISTENER\"");
  profile.flags = {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  EXPECT_EQ(Refusal(profile),
            "flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with "
            "SCMP_ACT_NOTIFY");
  profile = Getppid("SCMP_ACT_NOTIFY");
  profile.syscalls[0].names = {"read", "write"};
  EXPECT_EQ(Refusal(profile), "syscalls[0].action: SCMP_ACT_NOTIFY cannot be used for write");
  profile = Getppid("SCMP_ACT_ERRNO");
  profile.syscalls[0].names = {""};
  EXPECT_EQ(Refusal(profile), "syscalls[0].names: an empty name");
}

TEST(SeccompRefusal, RulesThatContradictEachOther) {
  auto profile = GetppidIf({{0, 1, 0, "SCMP_CMP_EQ"}});
  profile.syscalls.push_back(
      {{"getppid"}, "SCMP_ACT_KILL", std::nullopt, profile.syscalls[0].args});
  EXPECT_EQ(Refusal(profile),
            "syscalls[1].names: \"getppid\" has a rule with the same args and another "
            "action");
}

TEST(SeccompRefusal, AProgramThatIsTooLong) {
  auto profile = Default("SCMP_ACT_ERRNO");
  for (uint64_t i = 0; i < 1500; ++i) {
    profile.syscalls.push_back(
        {{"getppid"}, "SCMP_ACT_ALLOW", std::nullopt, {{0, i << 32, 0, "SCMP_CMP_EQ"}}});
  }
  auto program = CompileSeccomp(profile);
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().kind, ErrorKind::kUnsupported);
  EXPECT_TRUE(program.error().Text().ends_with("the kernel takes 4096")) << program.error().Text();
}

TEST(SeccompWords, AreThoseOfTheSpecification) {
  EXPECT_EQ(SeccompActions().size(), 9U);
  EXPECT_EQ(SeccompOperators().size(), 7U);
  EXPECT_EQ(SeccompFlags().size(), 4U);
  EXPECT_GE(SeccompArchitectures().size(), 17U);
}

#endif  // __SANITIZE_THREAD__

}  // namespace
}  // namespace kiste::sys
