// SPDX-License-Identifier: Apache-2.0
#include "oci/features.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.h"
#include "oci/config_text.h"

namespace kiste::oci {
namespace {

json::Document Features(const Carried& carried) {
  SeccompWords words{{"SCMP_ACT_B", "SCMP_ACT_A"}, {"OP"}, {"ARCH"}, {"FLAG"}, {}};
  auto text = FeaturesJson(carried, std::move(words), {{"a.version", "1"}});
  auto document = json::Document::Parse(text, "features");
  EXPECT_TRUE(document) << text;
  return *std::move(document);
}

std::vector<std::string> Strings(const json::Value& value) {
  EXPECT_TRUE(value.is_array()) << value.path();
  return *value.Strings();
}

bool Has(const std::vector<std::string>& names, const char* name) {
  return std::ranges::find(names, name) != names.end();
}

TEST(Features, EveryNameIsOneThatTheParserTakes) {
  auto document = Features({});
  auto root = document.root();
  for (const auto& hook : Strings(root["hooks"])) {
    auto config = MustParse(WithTop(StrCat(R"("hooks": {")", hook, R"(": [{"path": "/x"}]})")));
    const auto& hooks = config.hooks;
    EXPECT_EQ(hooks.prestart.size() + hooks.create_runtime.size() + hooks.create_container.size() +
                  hooks.start_container.size() + hooks.poststart.size() + hooks.poststop.size(),
              1u)
        << hook;
  }
  auto mappings = [](const std::string& name) {
    constexpr std::string_view kRoot = R"([{"containerID": 0, "hostID": 1, "size": 1}])";
    if (name != "user") return std::string();
    return StrCat(R"(, "uidMappings": )", kRoot, R"(, "gidMappings": )", kRoot);
  };
  for (const auto& name : Strings(root["linux"]["namespaces"])) {
    MustParse(WithLinux(StrCat(R"("namespaces": [{"type": ")", name, R"("}])", mappings(name))));
  }
  EXPECT_EQ(Strings(root["hooks"]).size(), 6u);
  EXPECT_EQ(Strings(root["linux"]["namespaces"]).size(), 8u);
  EXPECT_EQ(Strings(root["linux"]["capabilities"]).size(), 41u);
  EXPECT_EQ(Strings(root["linux"]["seccomp"]["actions"])[0], "SCMP_ACT_A");
}

TEST(Features, WhatIsNotCarriedOutIsNotTold) {
  auto document = Features({});
  auto root = document.root(), linux_part = root["linux"];
  EXPECT_FALSE(Has(Strings(root["mountOptions"]), "idmap"));
  EXPECT_TRUE(Has(Strings(root["mountOptions"]), "rro"));
  EXPECT_FALSE(*linux_part["mountExtensions"]["idmap"]["enabled"].Bool());
  EXPECT_FALSE(*linux_part["cgroup"]["systemd"].Bool());
  EXPECT_TRUE(*linux_part["cgroup"]["rdma"].Bool());
  EXPECT_FALSE(linux_part["memoryPolicy"].present());
  EXPECT_EQ(Strings(root["potentiallyUnsafeConfigAnnotations"]).size(), 1u);
}

TEST(Features, ALineSwitchesEachOn) {
  auto document = Features({.systemd_cgroup = true,
                            .id_mapped_mounts = true,
                            .intel_rdt = true,
                            .memory_policy = true,
                            .net_devices = true,
                            .checkpoint = true});
  auto root = document.root(), linux_part = root["linux"];
  EXPECT_TRUE(Has(Strings(root["mountOptions"]), "ridmap"));
  EXPECT_TRUE(*linux_part["mountExtensions"]["idmap"]["enabled"].Bool());
  EXPECT_TRUE(*linux_part["cgroup"]["systemd"].Bool());
  EXPECT_FALSE(*linux_part["cgroup"]["systemdUser"].Bool());
  EXPECT_TRUE(*linux_part["intelRdt"]["enabled"].Bool());
  EXPECT_TRUE(Has(Strings(linux_part["memoryPolicy"]["modes"]), "MPOL_BIND"));
  EXPECT_TRUE(*linux_part["netDevices"]["enabled"].Bool());
  EXPECT_TRUE(Has(Strings(root["potentiallyUnsafeConfigAnnotations"]), "org.systemd.property."));
  EXPECT_TRUE(Has(Strings(root["potentiallyUnsafeConfigAnnotations"]), "org.criu.config"));
  EXPECT_TRUE(
      Has(Strings(root["potentiallyUnsafeConfigAnnotations"]), "run.oci.keep_original_groups"));
}

}  // namespace
}  // namespace kiste::oci
