// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/command.h"

namespace kiste::cli {

namespace {

struct Outcome {
  int code = -1;
  std::string out, error;
};

class ProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / "kiste-program-XXXXXX";
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  // In a child: the program changes what it runs in.
  Outcome Run(const std::vector<std::string>& words) {
    std::string out = path_ + "/out", error = path_ + "/error";
    pid_t pid = fork();
    if (pid == 0) {
      dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
      dup2(open(error.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
      _exit(RunProgram(words));
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 1000, Read(out), Read(error)};
  }
  static std::string Read(const std::string& path) {
    std::ifstream stream(path);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
  }
  std::string path_;
};

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_F(ProgramTest, VersionInTheFormThatEnginesRead) {
  for (const char* word : {"--version", "-v"}) {
    Outcome outcome = Run({word});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_TRUE(outcome.out.starts_with("kiste-oci version ")) << outcome.out;
    EXPECT_TRUE(Contains(outcome.out, "\ncommit: "));
    EXPECT_TRUE(Contains(outcome.out, "\nspec: 1."));
    EXPECT_EQ(outcome.error, "");
  }
}

TEST_F(ProgramTest, HelpNamesEveryCommand) {
  Outcome outcome = Run({"--help"});
  EXPECT_EQ(outcome.code, 0);
  for (const auto& command : Commands()) {
    EXPECT_TRUE(Contains(outcome.out, std::string("   ") + command.name + " ")) << command.name;
    Outcome about = Run({command.name, "--help"});
    EXPECT_EQ(about.code, 0) << command.name;
    EXPECT_TRUE(Contains(about.out, std::string("kiste-oci ") + command.name));
    for (const auto& option : command.options)
      EXPECT_TRUE(Contains(about.out, std::string("--") + option.name)) << option.name;
    EXPECT_EQ(Run({"help", command.name}).out, about.out);
  }
  EXPECT_EQ(Run({}).out, outcome.out);
}

TEST_F(ProgramTest, MistakesAreOneLineAndCodeOne) {
  EXPECT_EQ(Run({"nonsense"}).error, "kiste-oci: unknown command \"nonsense\"\n");
  EXPECT_EQ(Run({"nonsense"}).code, 1);
  EXPECT_EQ(Run({"--nonsense"}).error, "kiste-oci: unknown option \"--nonsense\"\n");
  EXPECT_EQ(Run({"--log-format", "xml", "list"}).error,
            "kiste-oci: --log-format: expected text or json, found \"xml\"\n");
  EXPECT_EQ(Run({"--root", path_, "state"}).error,
            "kiste-oci: state: expected <container-id>, found 0 arguments\n");
  EXPECT_EQ(Run({"--root", path_, "state", "a", "b"}).error,
            "kiste-oci: state: expected <container-id>, found 2 arguments\n");
  EXPECT_EQ(Run({"--rootless", "maybe", "--root", path_, "state", "a"}).error,
            "kiste-oci: state: --rootless: expected true, false or auto, found \"maybe\"\n");
  EXPECT_EQ(Run({"--cgroup-manager", "x", "--root", path_, "state", "a"}).code, 1);
}

TEST_F(ProgramTest, UnknownContainer) {
  Outcome outcome = Run({"--root", path_, "state", "none"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(Contains(outcome.error, "\"none\" does not exist")) << outcome.error;
  EXPECT_EQ(Run({"--root", path_ + "/nowhere", "state", "none"}).error, outcome.error);
  EXPECT_FALSE(std::filesystem::exists(path_ + "/nowhere"));
}

TEST_F(ProgramTest, ErrorsGoToTheLogToo) {
  std::string log = path_ + "/log";
  Outcome outcome = Run({"--log", log, "--log-format=json", "--root", path_, "state", "none"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(outcome.error.starts_with("kiste-oci: state: "));
  std::string entry = Read(log);
  EXPECT_TRUE(Contains(entry, "\"level\":\"error\"")) << entry;
  EXPECT_TRUE(Contains(entry, "\"kind\":\"not-found\""));
}

TEST_F(ProgramTest, DebugTellsTheStateFolder) {
  std::string log = path_ + "/log";
  Run({"--debug", "--log", log, "--root", path_ + "/a/../b", "state", "none"});
  EXPECT_TRUE(Contains(Read(log), "state folder " + path_ + "/b")) << Read(log);
}

TEST_F(ProgramTest, SpecNeverOverwrites) {
  EXPECT_EQ(Run({"spec", "--bundle", path_}).code, 0);
  std::string text = Read(path_ + "/config.json");
  EXPECT_TRUE(Contains(text, "\"ociVersion\""));
  Outcome again = Run({"spec", "--bundle", path_});
  EXPECT_EQ(again.code, 1);
  EXPECT_TRUE(Contains(again.error, "exists already"));
  EXPECT_EQ(Read(path_ + "/config.json"), text);
}

}  // namespace kiste::cli
