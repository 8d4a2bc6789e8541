// SPDX-License-Identifier: Apache-2.0
//
// Whole launches of small programs, without a root of their own.
#include "isolation/namespaces/launch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/strings.h"
#include "isolation/namespaces/launcher/operations.h"
#include "sys/file.h"
#include "sys/pidfd.h"
#include "sys/socket.h"

namespace kiste::isolation {

namespace {

class LaunchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: launches drop capabilities and set groups";
    path_ = std::filesystem::temp_directory_path() / "kiste-launch-XXXXXX";
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
    folder_ = sys::Open(path_, O_RDONLY | O_DIRECTORY).value();
    output_ = path_ + "/output";
  }
  void TearDown() override {
    if (path_.empty()) return;
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a process was left";
    std::filesystem::remove_all(path_);
  }

  // A shell that runs `script`, its output in the file output_.
  LaunchPlan Shell(const std::string& script) {
    LaunchPlan plan;
    plan.id = "test";
    plan.process.args = {"/bin/sh", "-c", StrCat("exec >", output_, " 2>&1\n", script)};
    plan.process.env = {"PATH=/usr/bin:/bin"};
    plan.process.cwd = "/";
    return plan;
  }
  // With /dev/null as standard streams: their owner is changed.
  static Result<Launched> Start(const LaunchPlan& plan, const LaunchObserver& observer = {}) {
    Fd null = sys::Open("/dev/null", O_RDWR).value();
    Fd saved[3];
    for (int fd = 0; fd < 3; ++fd) {
      saved[fd] = Fd(fcntl(fd, F_DUPFD_CLOEXEC, 100));
      dup2(null.get(), fd);
    }
    auto launched = Launch(plan, observer);
    for (int fd = 0; fd < 3; ++fd) dup2(saved[fd].get(), fd);
    return launched;
  }
  // Its exit code and what it wrote.
  std::string Run(const LaunchPlan& plan, const LaunchObserver& observer = {}) {
    auto launched = Start(plan, observer);
    if (!launched) return "error: " + launched.error().Text();
    int code = sys::WaitChild(launched->pid).value();
    return StrCat(code, " ", sys::ReadFileAt(AT_FDCWD, output_).value_or(""));
  }

  std::string path_, output_;
  Fd folder_;
};

}  // namespace

TEST_F(LaunchTest, RunsTheProgramAsAChild) {
  EXPECT_EQ(Run(Shell("echo hello; exit 3")), "3 hello\n");
}

TEST_F(LaunchTest, UserGroupsUmaskAndDirectory) {
  LaunchPlan plan = Shell("id -u; id -G; umask; pwd");
  ASSERT_EQ(chmod(path_.c_str(), 0777), 0);
  plan.process.uid = 1234;
  plan.process.gid = 2345;
  plan.process.groups = {11, 12};
  plan.process.umask = 027;
  plan.process.cwd = "/usr";
  EXPECT_EQ(Run(plan), "0 1234\n2345 11 12\n0027\n/usr\n");
}

TEST_F(LaunchTest, StrayDescriptorsAreClosed) {
  Fd stray(fcntl(folder_.get(), F_DUPFD, 50));  // not close-on-exec
  EXPECT_EQ(
      Run(Shell("for f in /proc/self/fd/*; do echo ${f##*/}; done | grep -c '^5[0-9]$'; true")),
      "0 0\n");
}

TEST_F(LaunchTest, ObserverSeesTheProcessOnce) {
  int calls = 0;
  pid_t seen = -1;
  LaunchObserver observer;
  observer.started = [&](pid_t pid) -> Status {
    ++calls;
    seen = pid;
    return {};
  };
  auto launched = Start(Shell("exit 0"), observer);
  ASSERT_TRUE(launched) << launched.error().Text();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(seen, launched->pid);
  EXPECT_EQ(sys::WaitChild(launched->pid).value(), 0);
}

TEST_F(LaunchTest, ObserversFailureLeavesNoProcess) {
  LaunchObserver observer;
  observer.started = [](pid_t) -> Status { return Fail(ErrorKind::kState, "not now"); };
  EXPECT_EQ(Run(Shell("exit 0"), observer), "error: not now");
  EXPECT_FALSE(sys::Exists(AT_FDCWD, output_));
}

TEST_F(LaunchTest, MissingProgramsInTheWordsThatEnginesLookFor) {
  LaunchPlan plan = Shell("");
  plan.process.args = {"no-such-program"};
  auto launched = Start(plan);
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(launched.error().Text(),
            "exec: \"no-such-program\": executable file not found in $PATH");
  plan.process.args = {"/no/such/program"};
  launched = Start(plan);
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(launched.error().Text(),
            "exec: \"/no/such/program\": no such file or directory (ENOENT)");
}

TEST_F(LaunchTest, ProgramsThatMayNotRun) {
  LaunchPlan plan = Shell("");
  plan.process.args = {"/etc/passwd"};
  auto launched = Start(plan);
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().kind, ErrorKind::kSystem);
  EXPECT_EQ(launched.error().errno_value, EACCES);
  plan.process.args = {"/etc"};
  launched = Start(plan);
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().Text(), "exec: \"/etc\": is a directory: permission denied (EACCES)");
}

TEST_F(LaunchTest, FailuresNameTheField) {
  LaunchPlan plan = Shell("");
  plan.process.cwd = "/no/such/directory";
  EXPECT_EQ(Run(plan),
            "error: process.cwd: chdir: /no/such/directory: no such file or directory (ENOENT)");
}

TEST_F(LaunchTest, WaitsForStart) {
  LaunchPlan plan = Shell("echo started");
  plan.start_listener = sys::ListenAt(folder_.get(), "start").value();
  auto launched = Start(plan);
  ASSERT_TRUE(launched) << launched.error().Text();
  plan.start_listener.Reset();
  EXPECT_TRUE(WaitsForStart(folder_.get(), "start"));
  EXPECT_TRUE(WaitsForStart(folder_.get(), "start"));  // looking does not start it
  EXPECT_FALSE(sys::Exists(AT_FDCWD, output_));
  auto released = ReleaseStart(folder_.get(), "start");
  EXPECT_TRUE(released) << released.error().Text();
  EXPECT_EQ(sys::WaitChild(launched->pid).value(), 0);
  EXPECT_EQ(sys::ReadFileAt(AT_FDCWD, output_).value(), "started\n");
  EXPECT_FALSE(WaitsForStart(folder_.get(), "start"));
  EXPECT_EQ(ReleaseStart(folder_.get(), "start").error().kind, ErrorKind::kNotFound);
}

// A process that hangs up on the first who connects, as it does on one who is stopped before it has
// said its word, and executes for the next.
TEST_F(LaunchTest, WhoWasHungUpOnIsHeardTheNextTime) {
  Fd listener = sys::ListenAt(folder_.get(), "start").value();
  std::thread process([&listener] {
    Fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)).Reset();
    Fd next(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    char word = 0;
    EXPECT_EQ(sys::Receive(next.get(), &word, 1, Deadline::In(kPatience)).value(), 1u);
    launcher::Report executes{};
    executes.kind = launcher::ReportKind::kExec;
    EXPECT_TRUE(sys::Send(next.get(), &executes, sizeof executes));
  });
  auto released = ReleaseStart(folder_.get(), "start", Deadline::In(kPatience));
  EXPECT_TRUE(released) << released.error().Text();
  process.join();
}

// The same, and then it is gone.
TEST_F(LaunchTest, WhoWasHungUpOnAndFindsNobodyIsToldSo) {
  Fd listener = sys::ListenAt(folder_.get(), "start").value();
  std::thread process([&listener] {
    Fd first(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    listener.Reset();
  });
  auto released = ReleaseStart(folder_.get(), "start", Deadline::In(kPatience));
  process.join();
  ASSERT_FALSE(released);
  EXPECT_EQ(released.error().Text(), "the container's process died before it was started");
}

TEST_F(LaunchTest, StartTellsWhatFailedAfterTheWait) {
  std::string program = path_ + "/program";
  {
    Fd file = sys::Open(program, O_WRONLY | O_CREAT, 0755).value();
    ASSERT_TRUE(sys::WriteAll(file.get(), "\177ELF of no kind", program));
  }
  LaunchPlan plan = Shell("");
  plan.process.args = {program};
  plan.start_listener = sys::ListenAt(folder_.get(), "start").value();
  auto launched = Start(plan);
  ASSERT_TRUE(launched) << launched.error().Text();
  auto released = ReleaseStart(folder_.get(), "start");
  ASSERT_FALSE(released);
  EXPECT_EQ(released.error().Text(), StrCat("exec: ", program, ": exec format error (ENOEXEC)"));
  EXPECT_EQ(sys::WaitChild(launched->pid).value(), 1);
}

TEST_F(LaunchTest, AProcessKilledWhileItWaitsIsToldAsDead) {
  LaunchPlan plan = Shell("");
  plan.start_listener = sys::ListenAt(folder_.get(), "start").value();
  auto launched = Start(plan);
  ASSERT_TRUE(launched);
  ASSERT_TRUE(sys::PidfdSendSignal(launched->pidfd.get(), SIGKILL));
  EXPECT_EQ(sys::WaitChild(launched->pid).value(), 128 + SIGKILL);
  plan.start_listener.Reset();
  EXPECT_EQ(ReleaseStart(folder_.get(), "start").error().kind, ErrorKind::kNotFound);
}

TEST_F(LaunchTest, NewPidAndUtsNamespaces) {
  LaunchPlan plan = Shell("echo $$; uname -n");
  plan.namespaces.create = CLONE_NEWPID | CLONE_NEWUTS;
  plan.hostname = "kiste-test";
  EXPECT_EQ(Run(plan), "0 1\nkiste-test\n");
}

TEST_F(LaunchTest, UserNamespaceWithMappedIds) {
  if (access("/proc/self/ns/user", F_OK) != 0) GTEST_SKIP() << "no user namespaces here";
  ASSERT_EQ(chmod(path_.c_str(), 0777), 0);
  LaunchPlan plan = Shell("id -u; tr -s ' ' </proc/self/uid_map");
  plan.namespaces.create = CLONE_NEWUSER | CLONE_NEWUTS;
  plan.namespaces.uid_map = plan.namespaces.gid_map = {{0, 100000, 65536}};
  int calls = 0;
  LaunchObserver observer;
  observer.started = [&](pid_t) -> Status {
    ++calls;
    return {};
  };
  EXPECT_EQ(Run(plan, observer), "0 0\n 0 100000 65536\n");
  EXPECT_EQ(calls, 1);
}

TEST_F(LaunchTest, BadIdMapsLeaveNoProcess) {
  LaunchPlan plan = Shell("");
  plan.namespaces.create = CLONE_NEWUSER;
  plan.namespaces.uid_map = plan.namespaces.gid_map = {{0, 0, 0}};
  EXPECT_TRUE(Run(plan).starts_with("error: linux.uidMappings: write /proc/"));
}

TEST_F(LaunchTest, InnerHooksGetTheStateWithThePid) {
  LaunchPlan plan = Shell("cat ${0%/*}/hook-said 2>/dev/null; true");
  std::string said = path_ + "/hook-said";
  plan.start_container.state = StrCat("{\"pid\":", kPidMark, "}");
  plan.start_container.hooks.push_back(
      {"/bin/sh", {"sh", "-c", StrCat("/bin/cat >", said)}, {}, {}});
  auto launched = Start(plan);
  ASSERT_TRUE(launched) << launched.error().Text();
  EXPECT_EQ(sys::WaitChild(launched->pid).value(), 0);
  EXPECT_EQ(sys::ReadFileAt(AT_FDCWD, said).value(), StrCat("{\"pid\":", launched->pid, "}"));
}

TEST_F(LaunchTest, FailingInnerHookIsTold) {
  LaunchPlan plan = Shell("");
  plan.start_container.hooks.push_back({"/bin/sh", {"sh", "-c", "exit 9"}, {}, {}});
  EXPECT_EQ(Run(plan), "error: hooks.startContainer: /bin/sh: exit status 9");
  plan.start_container.hooks[0].args = {"sh", "-c", "echo out; echo err >&2; exit 9"};
  EXPECT_EQ(Run(plan),
            "error: hooks.startContainer: /bin/sh: exit status 9, output: \"out\\nerr\"");
  plan.start_container.hooks[0].args = {"sh", "-c", "kill -9 $$"};
  EXPECT_EQ(Run(plan), "error: hooks.startContainer: /bin/sh: killed by signal 9");
  plan.start_container.hooks[0].args = {"sh", "-c", "exec sleep 1000"};
  plan.start_container.hooks[0].timeout = 1;
  EXPECT_EQ(Run(plan), "error: hooks.startContainer: /bin/sh: killed after its timeout");
}

}  // namespace kiste::isolation
