// SPDX-License-Identifier: Apache-2.0
//
// With a stand-in for criu: a shell script that has no word of the protocol, which is enough for
// what may go wrong. The dialogue with criu itself is in tests/integration/test_checkpoint.py.
#include "sys/criu/service.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace kiste::sys::criu {
namespace {

class CriuService : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/kiste-criu-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    unlink((folder_ + "/criu").c_str());
    rmdir(folder_.c_str());
  }
  std::string Script(const std::string& body) {
    std::string file = folder_ + "/criu";
    std::ofstream(file) << "#!/bin/sh\n" << body;
    chmod(file.c_str(), 0755);
    return file;
  }
  static Result<Response> Ask(Service& service) {
    return service.Ask("request", [](const Response&, Fd) -> Status { return {}; });
  }
  std::string folder_;
};

TEST_F(CriuService, SaysWhatCouldNotBeExecuted) {
  auto service = Service::Open({.program = folder_ + "/nothing"});
  ASSERT_FALSE(service);
  EXPECT_NE(service.error().Text().find("execve " + folder_ + "/nothing"), std::string::npos);
  EXPECT_EQ(service.error().errno_value, ENOENT);
}

TEST_F(CriuService, AnEndWithoutAnAnswerIsAnError) {
  auto service = Service::Open({.program = Script("echo words >&2; exit 1")});
  ASSERT_TRUE(service) << service.error().Text();
  auto response = Ask(*service);
  ASSERT_FALSE(response);
  EXPECT_TRUE(service->Close());
  EXPECT_EQ(service->Output(), "words");
}

TEST_F(CriuService, IsAskedOverTheSocketOfItsArgument) {
  auto service = Service::Open({.program = Script("echo $1; readlink /proc/self/fd/$2")});
  ASSERT_TRUE(service) << service.error().Text();
  static_cast<void>(Ask(*service));
  EXPECT_TRUE(service->Close());
  EXPECT_TRUE(service->Output().starts_with("swrk\nsocket:[")) << service->Output();
}

TEST_F(CriuService, IsFoundInPath) {
  Script("");
  std::string before = getenv("PATH");
  setenv("PATH", (folder_ + ":" + before).c_str(), 1);
  auto program = FindProgram();
  setenv("PATH", before.c_str(), 1);
  ASSERT_TRUE(program);
  EXPECT_EQ(*program, folder_ + "/criu");
}

}  // namespace
}  // namespace kiste::sys::criu
