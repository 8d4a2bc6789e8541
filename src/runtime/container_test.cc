// SPDX-License-Identifier: Apache-2.0
#include "runtime/container.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "sys/pidfd.h"
#include "sys/procfs.h"
#include "sys/socket.h"

namespace kiste::runtime {

namespace {

// A container that is only a record and a sleeping child.
class ContainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / "kiste-container-XXXXXX";
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
    store_.emplace(Store::Open(path_).value());
    folder_.emplace(store_->Create("c1").value());
    ASSERT_TRUE(folder_->FinishMaking());
    pid_ = fork();
    if (pid_ == 0) {
      alarm(20);
      while (true) pause();
    }
    record_.id = "c1";
    record_.bundle = "/b";
    record_.pid = pid_;
    record_.start_time = sys::StatProcess(pid_).value().start_time;
  }
  void TearDown() override {
    End();
    std::filesystem::remove_all(path_);
  }
  void End() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    pid_ = -1;
  }
  Container Load() {
    EXPECT_TRUE(store_->Find("c1").value().Save(record_));
    return LoadContainer(*store_, "c1").value();
  }
  ContainerStatus Status() { return Load().Status().value(); }

  std::string path_;
  std::optional<Store> store_;
  std::optional<ContainerFolder> folder_;
  pid_t pid_ = -1;
  Record record_;
};

}  // namespace

TEST_F(ContainerTest, RunningThenStopped) {
  EXPECT_EQ(Status(), ContainerStatus::kRunning);
  Container container = Load();
  Fd process = container.Process().value();
  EXPECT_TRUE(sys::PidfdSendSignal(process.get(), 0));
  kill(pid_, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  EXPECT_EQ(Status(), ContainerStatus::kStopped);  // a zombie runs no more
  End();
  EXPECT_EQ(Status(), ContainerStatus::kStopped);
  auto gone = container.Process();
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::kState);
}

TEST_F(ContainerTest, AnotherProcessWithThePidIsNotTheContainers) {
  record_.start_time += 1;
  EXPECT_EQ(Status(), ContainerStatus::kStopped);
  auto process = Load().Process();
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().kind, ErrorKind::kState);
}

TEST_F(ContainerTest, CreatingWithoutAProcess) {
  record_.pid = 0;
  EXPECT_EQ(Status(), ContainerStatus::kCreating);
  EXPECT_FALSE(Load().Process());
}

TEST_F(ContainerTest, CreatingUntilItIsMade) {
  ASSERT_TRUE(folder_->Remove());
  folder_.reset();
  folder_.emplace(store_->Create("c1").value());
  Fd listener = sys::ListenAt(folder_->directory(), kStartSocket).value();
  EXPECT_EQ(Status(), ContainerStatus::kCreating);
  EXPECT_TRUE(Load().Process());  // to be killed
  ASSERT_TRUE(folder_->FinishMaking());
  EXPECT_EQ(Status(), ContainerStatus::kCreated);
}

TEST_F(ContainerTest, StoppedWhenWhatMakesItEnds) {
  ASSERT_TRUE(folder_->Remove());
  folder_.reset();
  folder_.emplace(store_->Create("c1").value());
  End();
  EXPECT_EQ(Status(), ContainerStatus::kStopped);
}

TEST_F(ContainerTest, CreatedWhileItWaits) {
  Container container = Load();
  Fd listener = sys::ListenAt(container.folder.directory(), kStartSocket).value();
  EXPECT_EQ(Status(), ContainerStatus::kCreated);
  listener.Reset();  // the name stays, nobody listens
  EXPECT_EQ(Status(), ContainerStatus::kRunning);
}

TEST_F(ContainerTest, StateForTheSpecification) {
  record_.annotations = {{"a", "b"}};
  Container container = Load();
  oci::State state = container.State(ContainerStatus::kRunning);
  EXPECT_EQ(state.id, "c1");
  EXPECT_EQ(state.status, "running");
  EXPECT_EQ(state.pid, pid_);
  EXPECT_EQ(state.bundle, "/b");
  EXPECT_EQ(state.annotations.at("a"), "b");
  EXPECT_EQ(container.State(ContainerStatus::kStopped).pid, 0);
  EXPECT_EQ(StatusName(ContainerStatus::kPaused), "paused");
}

TEST_F(ContainerTest, UnknownIds) {
  EXPECT_EQ(LoadContainer(*store_, "none").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(LoadContainer(*store_, "c1").error().kind, ErrorKind::kNotFound);  // no record yet
}

}  // namespace kiste::runtime
