// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.h"

namespace kiste {

namespace {

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / "kiste-log-XXXXXX";
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
    path_ = directory_ + "/log";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  static std::string Read(const std::string& path) {
    std::ifstream stream(path);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
  }

  // What `deed` writes to standard error.
  template <typename F>
  std::string StandardError(F deed) {
    std::string file = directory_ + "/stderr";
    Fd saved(dup(2));
    Fd target(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    dup2(target.get(), 2);
    deed();
    dup2(saved.get(), 2);
    return Read(file);
  }

  std::string directory_, path_;
};

const Error kError{ErrorKind::kNotFound, ENOENT, "open /x", {}};
constexpr char kErrorText[] = "open /x: no such file or directory (ENOENT)";

}  // namespace

TEST_F(LogTest, TextEntryHasTimeLevelAndQuotedMessage) {
  Log log;
  ASSERT_TRUE(log.Open(path_, LogFormat::kText));
  log.Write(LogLevel::kWarning, "say \"hi\"\nagain");
  std::string text = Read(path_);
  EXPECT_TRUE(text.starts_with("time=\"2"));
  EXPECT_NE(text.find("Z\" level=warning msg=\"say \\\"hi\\\"\\nagain\"\n"), std::string::npos)
      << text;
  EXPECT_EQ(text.find('\n'), text.size() - 1);  // one line an entry
}

TEST_F(LogTest, TextEntryIsNotCut) {
  Log log;
  ASSERT_TRUE(log.Open(path_, LogFormat::kText));
  log.Write(LogLevel::kInfo, std::string(5000, 'x'));
  EXPECT_GT(Read(path_).size(), 5000u);
}

TEST_F(LogTest, JsonEntryHasWhatEnginesRead) {
  Log log;
  ASSERT_TRUE(log.Open(path_, LogFormat::kJson));
  log.Write(LogLevel::kInfo, "a \"b\"");
  auto entry = json::Document::Parse(Read(path_), "log").value();
  EXPECT_EQ(entry.root()["level"].String().value(), "info");
  EXPECT_EQ(entry.root()["msg"].String().value(), "a \"b\"");
  std::string time = entry.root()["time"].String().value();
  ASSERT_EQ(time.size(), sizeof("2026-01-02T03:04:05Z") - 1) << time;
  EXPECT_EQ(time.back(), 'Z');
  EXPECT_FALSE(entry.root()["kind"].present());
}

TEST_F(LogTest, AppendsToWhatIsThere) {
  std::ofstream(path_) << "before\n";
  Log log;
  ASSERT_TRUE(log.Open(path_, LogFormat::kText));
  log.Write(LogLevel::kError, "after");
  std::string text = Read(path_);
  EXPECT_TRUE(text.starts_with("before\n"));
  EXPECT_NE(text.find("level=error msg=\"after\""), std::string::npos);
}

TEST_F(LogTest, DebugEntriesOnlyWhenAskedFor) {
  Log log;
  ASSERT_TRUE(log.Open(path_, LogFormat::kText));
  log.Write(LogLevel::kDebug, "quiet");
  EXPECT_EQ(Read(path_), "");
  log.set_level(LogLevel::kDebug);
  log.Write(LogLevel::kDebug, "loud");
  EXPECT_NE(Read(path_).find("level=debug msg=\"loud\""), std::string::npos);
}

TEST_F(LogTest, MissingFileIsMadeReadable) {
  mode_t umask_before = umask(022);
  Log log;
  ASSERT_TRUE(log.Open(path_, LogFormat::kText));
  umask(umask_before);
  struct stat status{};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644u);
}

TEST_F(LogTest, OpenErrorNamesOptionAndFile) {
  Log log;
  auto opened = log.Open(directory_ + "/none/log", LogFormat::kText);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().errno_value, ENOENT);
  EXPECT_TRUE(opened.error().Text().starts_with("--log: open " + directory_ + "/none/log"));
}

TEST_F(LogTest, FatalGoesToFileAndStandardError) {
  Log log;
  ASSERT_TRUE(log.Open(path_, LogFormat::kJson));
  std::string shown = StandardError([&] { log.Fatal("prog", kError); });
  EXPECT_EQ(shown, std::string("prog: ") + kErrorText + "\n");
  auto entry = json::Document::Parse(Read(path_), "log").value();
  EXPECT_EQ(entry.root()["level"].String().value(), "error");
  EXPECT_EQ(entry.root()["msg"].String().value(), kErrorText);
  EXPECT_EQ(entry.root()["kind"].String().value(), "not-found");
  EXPECT_EQ(entry.root()["errno"].Int32().value(), ENOENT);
  EXPECT_EQ(entry.root()["operation"].String().value(), "open /x");
}

TEST_F(LogTest, FatalTellsTheErrorAsData) {
  Log log;
  ASSERT_TRUE(log.Open(path_, LogFormat::kJson));
  Error error = SystemError(EACCES, "mkdir /sys/fs/cgroup/x").error().At("cgroups");
  error = std::move(error).With("linux.cgroupsPath");
  std::string shown = StandardError([&] { log.Fatal("prog", error, {"create", "c1"}); });
  EXPECT_TRUE(shown.starts_with("prog: create: linux.cgroupsPath: mkdir /sys/fs/cgroup/x: "));
  auto entry = json::Document::Parse(Read(path_), "log").value();
  auto text = [&](const char* name) { return entry.root()[name].StringOr("absent").value(); };
  EXPECT_TRUE(text("msg").starts_with("create: linux.cgroupsPath: mkdir")) << text("msg");
  EXPECT_EQ(text("kind"), "system");
  EXPECT_EQ(entry.root()["errno"].Int32().value(), EACCES);
  EXPECT_EQ(text("errnoName"), "EACCES");
  EXPECT_EQ(text("syscall"), "mkdir");
  EXPECT_EQ(text("object"), "/sys/fs/cgroup/x");
  EXPECT_EQ(text("operation"), "linux.cgroupsPath: mkdir /sys/fs/cgroup/x");
  EXPECT_EQ(text("step"), "cgroups");
  EXPECT_EQ(text("command"), "create");
  EXPECT_EQ(text("container"), "c1");
}

TEST_F(LogTest, WithoutAStepTheCommandIsTheStep) {
  Log log;
  ASSERT_TRUE(log.Open(path_, LogFormat::kJson));
  StandardError([&] { log.Fatal("prog", kError, {"pause", ""}); });
  auto entry = json::Document::Parse(Read(path_), "log").value();
  EXPECT_EQ(entry.root()["step"].String().value(), "pause");
  EXPECT_FALSE(entry.root()["container"].present());
}

TEST_F(LogTest, FatalOmitsWhatAnErrorDoesNotHave) {
  Log log;
  ASSERT_TRUE(log.Open(path_, LogFormat::kJson));
  StandardError([&] { log.Fatal("prog", {ErrorKind::kInvalid, 0, "", "bad"}); });
  auto entry = json::Document::Parse(Read(path_), "log").value();
  EXPECT_EQ(entry.root()["kind"].String().value(), "invalid");
  EXPECT_FALSE(entry.root()["errno"].present());
  EXPECT_FALSE(entry.root()["operation"].present());
}

TEST_F(LogTest, WithoutFileFatalIsOneLineOnStandardError) {
  Log text;
  ASSERT_TRUE(text.Open("", LogFormat::kText));
  EXPECT_EQ(StandardError([&] { text.Fatal("prog", kError); }),
            std::string("prog: ") + kErrorText + "\n");
  Log json;
  ASSERT_TRUE(json.Open("", LogFormat::kJson));
  std::string line = StandardError([&] { json.Fatal("prog", kError); });
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_TRUE(json::Document::Parse(line, "log")) << line;
}

}  // namespace kiste
