// SPDX-License-Identifier: Apache-2.0
#include "sys/clone.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/memfd.h"
#include "sys/pidfd.h"

namespace kiste::sys {

namespace {

// Runs /bin/sh -c `script` in a spawned child; what it wrote to descriptor 9, and its exit code.
struct ShellResult {
  std::string output;
  int code = -1;
};

class SpawnTest : public ::testing::Test {
 protected:
  Result<ShellResult> Shell(std::string script, std::vector<int> inherit = {},
                            uint64_t namespaces = 0) {
    Fd shell = TRY(Open("/bin/sh", O_PATH));
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return ErrnoError("pipe2");
    Fd read_end(ends[0]);
    Fd write_end(ends[1]);
    script = StrCat("exec 1>&", write_end.get(), " 2>&1; ", script);
    char name[] = "sh", option[] = "-c";
    char* argv[] = {name, option, script.data(), nullptr};
    char variable[] = "KISTE_TEST=given";
    char path[] = "PATH=/usr/bin:/bin";
    char* envp[] = {variable, path, nullptr};
    inherit.push_back(write_end.get());
    SpawnRequest request{.executable = shell.get(), .argv = argv, .envp = envp};
    request.inherit = inherit;
    request.namespaces = namespaces;
    Spawned child = TRY(Spawn(request));
    write_end.Reset();
    ShellResult result;
    result.output = TRY(ReadAll(read_end.get(), "pipe", 1 << 20));
    result.code = TRY(WaitChild(child.pid));
    return result;
  }
};

}  // namespace

TEST_F(SpawnTest, RunsWithTheGivenWordsAndEnvironmentOnly) {
  setenv("KISTE_TEST_LEAK", "leaked", 1);
  auto result = Shell("echo $KISTE_TEST-$KISTE_TEST_LEAK; exit 7");
  unsetenv("KISTE_TEST_LEAK");
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_EQ(result->output, "given-\n");
  EXPECT_EQ(result->code, 7);
}

TEST_F(SpawnTest, PidfdIsTheChilds) {
  Fd program = Open("/bin/sh", O_PATH).value();
  char name[] = "sh", option[] = "-c", script[] = "exec sleep 100";
  char* argv[] = {name, option, script, nullptr};
  char* envp[] = {nullptr};
  auto child = Spawn({.executable = program.get(), .argv = argv, .envp = envp});
  ASSERT_TRUE(child);
  EXPECT_EQ(fcntl(child->pidfd.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_FALSE(PidfdWaitExit(child->pidfd.get(), 0).value());
  ASSERT_TRUE(PidfdSendSignal(child->pidfd.get(), SIGKILL));
  EXPECT_EQ(WaitChild(child->pid).value(), 128 + SIGKILL);
}

TEST_F(SpawnTest, OnlyInheritedDescriptorsSurvive) {
  Fd kept = MemoryFile("kept", "kept text").value();
  Fd dropped = MemoryFile("dropped", "dropped text").value();
  auto result =
      Shell(StrCat("cat <&", kept.get(), "; cat <&", dropped.get(), " || echo; echo closed"),
            {kept.get()});
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_NE(result->output.find("kept text"), std::string::npos) << result->output;
  EXPECT_EQ(result->output.find("dropped text"), std::string::npos) << result->output;
}

// The child borrows this process's memory: what it changes of its descriptors must not be ours.
TEST_F(SpawnTest, OurOwnDescriptorsStayCloseOnExec) {
  Fd kept = MemoryFile("kept", "x").value();
  ASSERT_TRUE(Shell("true", {kept.get()}));
  EXPECT_EQ(fcntl(kept.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST_F(SpawnTest, StartsWithNoSignalBlocked) {
  sigset_t some, before;
  sigfillset(&some);
  sigprocmask(SIG_BLOCK, &some, &before);
  auto result = Shell("grep SigBlk /proc/self/status");
  sigset_t after;
  sigprocmask(SIG_SETMASK, &before, &after);
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_EQ(result->output, "SigBlk:\t0000000000000000\n");
  EXPECT_EQ(sigismember(&after, SIGUSR1), 1);  // this process's own mask is left alone
}

// Until it execs, the child has this process's memory: no handler of ours may run in it. Hard to
// time, so what is seen is the parent's side: the handler still serves the parent afterwards.
TEST_F(SpawnTest, OurHandlersStayOurs) {
  static volatile sig_atomic_t seen = 0;
  struct sigaction handler{}, former{};
  handler.sa_handler = [](int) { seen = 1; };
  sigaction(SIGUSR2, &handler, &former);
  auto result = Shell("true");
  raise(SIGUSR2);
  sigaction(SIGUSR2, &former, nullptr);
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_EQ(seen, 1);
}

TEST_F(SpawnTest, ExecFailureIsReportedAndReaped) {
  Fd text = MemoryFile("no-program", "neither ELF nor script").value();
  char name[] = "x";
  char* argv[] = {name, nullptr};
  char* envp[] = {nullptr};
  auto child = Spawn({.executable = text.get(), .argv = argv, .envp = envp});
  ASSERT_FALSE(child);
  EXPECT_TRUE(child.error().errno_value == EACCES || child.error().errno_value == ENOEXEC)
      << child.error().Text();
  EXPECT_EQ(child.error().operation, "execveat");
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // no child is left
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(SpawnTest, BadFlagsFailInClone3) {
  Fd program = Open("/bin/sh", O_PATH).value();
  char name[] = "sh";
  char* argv[] = {name, nullptr};
  char* envp[] = {nullptr};
  auto child = Spawn({.executable = program.get(),
                      .argv = argv,
                      .envp = envp,
                      .namespaces = CLONE_SIGHAND});  // contradicts CLONE_CLEAR_SIGHAND
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().errno_value, EINVAL);
  EXPECT_EQ(child.error().operation, "clone3");
}

// The same three with the helper that waits for a child in a cgroup with little memory.
TEST_F(SpawnTest, WithAHelperTheChildIsOurs) {
  Fd program = Open("/bin/sh", O_PATH).value();
  char name[] = "sh", option[] = "-c", script[] = "exit 9";
  char* argv[] = {name, option, script, nullptr};
  char* envp[] = {nullptr};
  auto child =
      Spawn({.executable = program.get(), .argv = argv, .envp = envp, .limited_memory = true});
  ASSERT_TRUE(child) << child.error().Text();
  EXPECT_TRUE(PidfdWaitExit(child->pidfd.get(), 5000).value());
  EXPECT_EQ(WaitChild(child->pid).value(), 9);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // nor is the helper left
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(SpawnTest, WithAHelperExecFailureIsReportedAndReaped) {
  Fd text = MemoryFile("no-program", "neither ELF nor script").value();
  char name[] = "x";
  char* argv[] = {name, nullptr};
  char* envp[] = {nullptr};
  auto child =
      Spawn({.executable = text.get(), .argv = argv, .envp = envp, .limited_memory = true});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().operation, "execveat");
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(SpawnTest, WithAHelperBadFlagsFailInClone3) {
  Fd program = Open("/bin/sh", O_PATH).value();
  char name[] = "sh";
  char* argv[] = {name, nullptr};
  char* envp[] = {nullptr};
  auto child = Spawn({.executable = program.get(),
                      .argv = argv,
                      .envp = envp,
                      .namespaces = CLONE_SIGHAND,
                      .limited_memory = true});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().errno_value, EINVAL);
  EXPECT_EQ(child.error().operation, "clone3");
}

TEST_F(SpawnTest, MakesNamespaces) {
  if (geteuid() != 0) GTEST_SKIP() << "needs CAP_SYS_ADMIN to make pid and UTS namespaces";
  auto result = Shell("echo $$; readlink /proc/self/ns/uts", {}, CLONE_NEWPID | CLONE_NEWUTS);
  if (!result && result.error().errno_value == EPERM) GTEST_SKIP() << result.error().Text();
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_TRUE(result->output.starts_with("1\n")) << result->output;
  char own[64];
  ssize_t size = readlink("/proc/self/ns/uts", own, sizeof own);
  ASSERT_GT(size, 0);
  EXPECT_EQ(result->output.find(std::string(own, static_cast<size_t>(size))), std::string::npos);
}

}  // namespace kiste::sys
