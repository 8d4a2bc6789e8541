// SPDX-License-Identifier: Apache-2.0
#include "bench/target/bundle.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace kiste::bench {
namespace {

json::Document Parsed(const BundleRequest& request) {
  auto document = json::Document::Parse(ConfigJson(request), "config.json");
  EXPECT_TRUE(document) << document.error().Text();
  return std::move(*document);
}

TEST(Bundle, SaysWhatIsAskedFor) {
  BundleRequest request;
  request.rootfs = "/r";
  request.command = {"/load", "now"};
  request.cgroup = "/kiste-bench-x/y";
  request.network = "/n";
  request.data = "/d";
  request.limits.cpus = 0.5;
  request.limits.memory = 1 << 20;
  request.limits.pids = 7;
  auto document = Parsed(request);
  const auto root = document.root();
  EXPECT_EQ(root["process"]["args"].Dump(), R"(["/load","now"])");
  EXPECT_EQ(root["linux"]["cgroupsPath"].String().value(), "/kiste-bench-x/y");
  EXPECT_EQ(root["linux"]["resources"].Dump(),
            R"({"memory":{"limit":1048576},"cpu":{"quota":50000,"period":100000},)"
            R"("pids":{"limit":7}})");
  EXPECT_NE(root["linux"]["namespaces"].Dump().find(R"("path":"/n")"), std::string::npos);
  EXPECT_NE(root["mounts"].Dump().find(R"("source":"/d")"), std::string::npos);
}

TEST(Bundle, WithoutMoreIsPlain) {
  BundleRequest request;
  request.rootfs = "/r";
  request.command = {"/load"};
  auto document = Parsed(request);
  const auto root = document.root();
  EXPECT_EQ(root["linux"]["resources"].Dump(), "{}");
  EXPECT_FALSE(root["linux"]["seccomp"].present());
  EXPECT_EQ(root["linux"]["namespaces"].Dump().find("path"), std::string::npos);
}

TEST(Bundle, TheDefaultProfileIsTheSpecifications) {
  auto profile = DefaultSeccompProfile();
  if (!profile && profile.error().kind == ErrorKind::kNotFound)
    GTEST_SKIP() << profile.error().Text();
  ASSERT_TRUE(profile) << profile.error().Text();
  BundleRequest request;
  request.seccomp = *profile;
  auto document = Parsed(request);
  const auto seccomp = document.root()["linux"]["seccomp"];
  EXPECT_EQ(seccomp["defaultAction"].String().value(), "SCMP_ACT_ERRNO");
  EXPECT_GT(seccomp["syscalls"].size(), 3u);
  EXPECT_FALSE(seccomp["archMap"].present());
  EXPECT_EQ(seccomp.Dump().find("minKernel"), std::string::npos);
}

}  // namespace
}  // namespace kiste::bench
