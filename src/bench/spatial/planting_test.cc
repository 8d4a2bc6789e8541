// SPDX-License-Identifier: Apache-2.0
#include "bench/spatial/planting.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

class PlantingTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "kiste-planting-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    // Nothing may be left: rmdir(2) refuses a folder that is not empty.
    EXPECT_EQ(rmdir(folder_.c_str()), 0) << folder_;
  }

  static std::map<std::string, std::string> Markers(const Planting& planting) {
    std::map<std::string, std::string> markers;
    std::vector<std::string> words = planting.Arguments();
    EXPECT_EQ(words.size() % 2, 0U);
    for (size_t i = 0; i + 1 < words.size(); i += 2) {
      EXPECT_EQ(words[i], "--marker");
      size_t equals = words[i + 1].find('=');
      markers[words[i + 1].substr(0, equals)] = words[i + 1].substr(equals + 1);
    }
    return markers;
  }
  static int Number(const std::string& text) { return static_cast<int>(ParseInt(text).value()); }

  std::string folder_;
};

bool Reports(const std::vector<Finding>& findings, std::string_view probe) {
  return std::ranges::any_of(
      findings, [&](const Finding& it) { return it.probe == probe && it.verdict == "touches"; });
}

}  // namespace

TEST_F(PlantingTest, NothingIsReportedOfWhatNobodyTouched) {
  Planting planting = Planting::Plant(folder_).value();
  EXPECT_TRUE(planting.Look().value().empty());
  std::map<std::string, std::string> markers = Markers(planting);
  EXPECT_EQ(markers["token"].size(), 32U);
  EXPECT_EQ(sys::ReadFileAt(AT_FDCWD, markers["secret"]).value(),
            StrCat("secret ", markers["token"], "\n"));
}

TEST_F(PlantingTest, TheProcessTellsOfItselfAndCountsSignals) {
  Planting planting = Planting::Plant(folder_).value();
  std::map<std::string, std::string> markers = Markers(planting);
  std::string process = StrCat("/proc/", markers["process"]);
  if (!markers.contains("process")) GTEST_SKIP() << Join(planting.missing(), "; ");
  for (const char* file : {"/cmdline", "/environ"}) {
    std::string text = sys::ReadFileAt(AT_FDCWD, process + file).value();
    EXPECT_NE(text.find(markers["token"]), std::string::npos) << file << ": " << Quote(text);
  }
  EXPECT_EQ(sys::ReadLink(process + "/cwd").value(), folder_);
  ASSERT_EQ(kill(Number(markers["process"]), SIGURG), 0);
  // The signal is delivered when the other runs next.
  for (int i = 0; i < 200 && planting.Look().value().empty(); i++) usleep(10000);
  EXPECT_TRUE(Reports(planting.Look().value(), "process/signal"));
}

TEST_F(PlantingTest, AnEndedProcessIsReported) {
  Planting planting = Planting::Plant(folder_).value();
  std::map<std::string, std::string> markers = Markers(planting);
  if (!markers.contains("process")) GTEST_SKIP() << Join(planting.missing(), "; ");
  ASSERT_EQ(kill(Number(markers["process"]), SIGKILL), 0);
  for (int i = 0; i < 200 && planting.Look().value().empty(); i++) usleep(10000);
  EXPECT_TRUE(Reports(planting.Look().value(), "process/signal"));
}

TEST_F(PlantingTest, ChangedFilesAreReported) {
  Planting planting = Planting::Plant(folder_).value();
  std::map<std::string, std::string> markers = Markers(planting);
  ASSERT_TRUE(sys::WriteExisting(markers["secret"], "x"));
  Fd fifo = sys::Open(markers["fifo"], O_WRONLY | O_NONBLOCK).value();
  ASSERT_TRUE(sys::WriteAll(fifo.get(), "x", "fifo"));
  std::vector<Finding> findings = planting.Look().value();
  EXPECT_TRUE(Reports(findings, "files/secret-write"));
  EXPECT_TRUE(Reports(findings, "files/fifo"));
}

TEST_F(PlantingTest, ChangedMemoryIsReported) {
  Planting planting = Planting::Plant(folder_).value();
  std::map<std::string, std::string> markers = Markers(planting);
  if (!markers.contains("shm-id")) GTEST_SKIP() << Join(planting.missing(), "; ");
  auto* segment = static_cast<char*>(shmat(Number(markers["shm-id"]), nullptr, 0));
  EXPECT_EQ(std::string(segment), markers["token"]);
  segment[100] = 1;
  shmdt(segment);
  sembuf add{.sem_num = 1, .sem_op = 1, .sem_flg = 0};
  ASSERT_EQ(semop(semget(Number(markers["sem-key"]), 0, 0), &add, 1), 0);
  std::vector<Finding> findings = planting.Look().value();
  EXPECT_TRUE(Reports(findings, "memory/sysv-shm-write"));
  EXPECT_TRUE(Reports(findings, "memory/sysv-sem"));
  EXPECT_FALSE(Reports(findings, "memory/sysv-msg"));
}

TEST_F(PlantingTest, WhoConnectsIsGreetedAndReported) {
  Planting planting = Planting::Plant(folder_).value();
  std::map<std::string, std::string> markers = Markers(planting);
  if (!markers.contains("port")) GTEST_SKIP() << Join(planting.missing(), "; ");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(Number(markers["port"])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  void* where = &address;
  if (connect(fd.get(), static_cast<sockaddr*>(where), sizeof address) != 0) {
    GTEST_SKIP() << "no loopback interface here";
  }
  std::string greeting(64, '\0');
  ASSERT_GT(read(fd.get(), greeting.data(), greeting.size()), 0);
  EXPECT_EQ(greeting.substr(0, 32), markers["token"]);
  EXPECT_TRUE(Reports(planting.Look().value(), "network/loopback-listener"));
}

TEST_F(PlantingTest, EverythingIsTakenAway) {
  std::map<std::string, std::string> markers;
  {
    Planting planting = Planting::Plant(folder_).value();
    markers = Markers(planting);
    EXPECT_NE(getenv("KISTE_BENCH_PLANTED"), nullptr);
  }
  EXPECT_EQ(getenv("KISTE_BENCH_PLANTED"), nullptr);
  EXPECT_FALSE(sys::Exists(AT_FDCWD, StrCat("/proc/", markers["process"])));
  EXPECT_FALSE(sys::Exists(AT_FDCWD, StrCat("/dev/shm/", markers["posix-shm"])));
  EXPECT_EQ(shmget(Number(markers["shm-key"]), 0, 0), -1);
  EXPECT_EQ(semget(Number(markers["sem-key"]), 0, 0), -1);
}

TEST(Merge, TheHostsWordCounts) {
  std::vector<Finding> merged =
      Merge({{"files/fifo", "closed", "inside"}, {"files/secret", "sees", "inside"}},
            {{"files/fifo", "touches", "outside"}, {"process/signal", "touches", "outside"}});
  ASSERT_EQ(merged.size(), 3U);
  EXPECT_EQ(merged[0].verdict, "touches");
  EXPECT_EQ(merged[1].verdict, "sees");
  EXPECT_EQ(merged[2].probe, "process/signal");
}

}  // namespace kiste::bench
