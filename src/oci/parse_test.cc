// SPDX-License-Identifier: Apache-2.0
#include "oci/parse.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "oci/config_text.h"

namespace kiste::oci {

TEST(ParseConfig, TakesTheSmallest) {
  Config config = MustParse(R"({"ociVersion": "1.0.0", "root": {"path": "rootfs"}})");
  EXPECT_EQ(config.oci_version, "1.0.0");
  EXPECT_EQ(config.root_path, "rootfs");
  EXPECT_FALSE(config.root_readonly);
  EXPECT_FALSE(config.process);
  EXPECT_TRUE(config.linux.namespaces.empty());
  EXPECT_FALSE(config.linux.seccomp);
}

TEST(ParseConfig, NullIsAbsent) {
  Config config = MustParse(R"({"ociVersion": "1.0.2-dev", "root": {"path": "/r", "readonly": null},
    "process": null, "hostname": null, "mounts": null, "hooks": null, "linux": null,
    "annotations": null})");
  EXPECT_FALSE(config.process);
  EXPECT_TRUE(config.mounts.empty());
}

TEST(ParseConfig, IgnoresWhatItDoesNotKnow) {
  MustParse(WithTop(R"("windows": {"x": []}, "solaris": 5, "vm": {}, "future": "yes")"));
  MustParse(WithLinux(R"("future": [1, {"a": null}])"));
}

TEST(ParseConfig, TakesEveryVersionOne) {
  for (const char* version : {"1.0.0", "1.0.2-dev", "1.2.1+dev", "1.3.0-rc.1", "1.99.0"}) {
    MustParse(StrCat(R"({"ociVersion": ")", version, R"(", "root": {"path": "rootfs"}})"));
  }
}

TEST(ParseConfig, RefusesWrongTopMembers) {
  const std::string kVersionWanted =
      "ociVersion: expected version 1.x.y of the runtime specification, found ";
  ExpectRefusals({
      {"", "invalid JSON at line 1, column 1: The document is empty."},
      {"[]", "(top): expected an object, found []"},
      {R"({"root": {"path": "r"}})", "ociVersion: expected a string, found nothing"},
      {R"({"ociVersion": "2.0.0", "root": {"path": "r"}})", kVersionWanted + R"("2.0.0")"},
      {R"({"ociVersion": "1.0", "root": {"path": "r"}})", kVersionWanted + R"("1.0")"},
      {R"({"ociVersion": "one", "root": {"path": "r"}})", kVersionWanted + R"("one")"},
      {R"({"ociVersion": "", "root": {"path": "r"}})",
       R"(ociVersion: expected a string that is not empty, found "")"},
      {R"({"ociVersion": "1.0.0"})", "root: expected an object, found nothing"},
      {R"({"ociVersion": "1.0.0", "root": {}})", "root.path: expected a string, found nothing"},
      {R"({"ociVersion": "1.0.0", "root": {"path": ""}})",
       R"(root.path: expected a string that is not empty, found "")"},
      {R"({"ociVersion": "1.0.0", "root": {"path": "a\u0000b"}})",
       R"(root.path: expected a string without a NUL character, found "a\u0000b")"},
      {R"({"ociVersion": "1.0.0", "root": {"path": "r", "readonly": "yes"}})",
       R"(root.readonly: expected true or false, found "yes")"},
      {R"({"ociVersion": "1.0.0", "root": {"path": "r"}, "process": []})",
       "process: expected an object, found []"},
      {R"({"ociVersion": "1.0.0", "root": {"path": "r"}, "linux": []})",
       "linux: expected an object, found []"},
      {WithTop(R"("hostname": 5)"), "hostname: expected a string, found 5"},
      {WithTop(StrCat(R"("hostname": ")", std::string(65, 'h'), '"')),
       "hostname: expected at most 64 bytes, found 65"},
      {WithTop(StrCat(R"("domainname": ")", std::string(65, 'h'), '"')),
       "domainname: expected at most 64 bytes, found 65"},
      {WithTop(R"("annotations": {"a": 1})"), "annotations.a: expected a string, found 1"},
      {WithTop(R"("annotations": {"": "1"})"), "annotations: an annotation without a name"},
      {WithTop(R"("mounts": {})"), "mounts: expected an array, found {}"},
  });
}

TEST(ParseConfig, ReadsHooks) {
  Hooks hooks = MustParse(Seed("everything.json")).hooks;
  ASSERT_EQ(hooks.prestart.size(), 1u);
  EXPECT_EQ(hooks.prestart[0].path, "/usr/bin/fix-mounts");
  EXPECT_EQ(hooks.prestart[0].args, (std::vector<std::string>{"fix-mounts", "arg1"}));
  EXPECT_EQ(hooks.prestart[0].env, (std::vector<std::string>{"key1=value1"}));
  EXPECT_FALSE(hooks.prestart[0].timeout);
  EXPECT_FALSE(hooks.create_runtime.at(0).env);
  EXPECT_EQ(hooks.create_runtime.at(0).path, "/bin/a");
  EXPECT_EQ(hooks.create_container.at(0).path, "/bin/b");
  EXPECT_EQ(hooks.start_container.at(0).path, "/bin/c");
  EXPECT_EQ(hooks.poststart.at(0).timeout, 5);
  EXPECT_EQ(hooks.poststop.at(1).path, "/bin/e");
}

TEST(ParseConfig, RefusesWrongHooks) {
  auto with_hook = [](const std::string& hook) {
    return WithTop(StrCat(R"("hooks": {"poststop": [{"path": "/bin/true"}, )", hook, "]}"));
  };
  ExpectRefusals({
      {WithTop(R"("hooks": [])"), "hooks: expected an object, found []"},
      {WithTop(R"("hooks": {"prestart": {}})"), "hooks.prestart: expected an array, found {}"},
      {with_hook("5"), "hooks.poststop[1]: expected an object, found 5"},
      {with_hook("{}"), "hooks.poststop[1].path: expected an absolute path, found nothing"},
      {with_hook(R"({"path": "bin/true"})"),
       R"(hooks.poststop[1].path: expected an absolute path, found "bin/true")"},
      {with_hook(R"({"path": "/t", "timeout": 0})"),
       "hooks.poststop[1].timeout: expected a whole number from 1 to 2147483647, found 0"},
      {with_hook(R"({"path": "/t", "args": "x"})"),
       R"(hooks.poststop[1].args: expected an array of strings, found "x")"},
  });
}

// Made by podman 4.3 with Debian's default seccomp profile, and by `runc spec`.
TEST(ParseConfig, TakesWhatEnginesWrite) {
  for (const char* name : {"podman-plain.json", "podman-limits.json", "podman-caps.json",
                           "podman-userns.json", "spec.json", "spec-rootless.json"}) {
    SCOPED_TRACE(name);
    Config config = MustParse(Seed(name));
    EXPECT_TRUE(config.process);
    EXPECT_GE(config.mounts.size(), 7u);
  }
}

TEST(ParseConfig, ReadsPodmansLimits) {
  Config config = MustParse(Seed("podman-limits.json"));
  const Resources& resources = config.linux.resources;
  EXPECT_EQ(resources.memory->limit, 64 << 20);
  EXPECT_EQ(resources.memory->reservation, 32 << 20);
  EXPECT_EQ(resources.memory->swap, 128 << 20);
  EXPECT_FALSE(resources.memory->swappiness);
  EXPECT_EQ(resources.cpu->shares, 512u);
  EXPECT_EQ(resources.cpu->quota, 50000);
  EXPECT_EQ(resources.cpu->period, 100000u);
  EXPECT_EQ(resources.cpu->cpus, "0");
  EXPECT_EQ(resources.pids_limit, 100);
  EXPECT_EQ(config.process->oom_score_adj, 300);
  ASSERT_TRUE(config.linux.seccomp);
  size_t names = 0;
  for (const auto& rule : config.linux.seccomp->syscalls) names += rule.names.size();
  EXPECT_EQ(names, 437u);
}

TEST(ParseProcess, ReadsAProcessAlone) {
  auto process = ParseProcess(Seed("process.json"), "process.json");
  ASSERT_TRUE(process) << process.error().Text();
  EXPECT_EQ(process->cwd, "/root");
  auto wrong = ParseProcess(R"({"args": ["sh"], "cwd": "."})", "process.json");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().Text(), R"(process.json: cwd: expected an absolute path, found ".")");
  EXPECT_EQ(ParseProcess("null", "p").error().Text(), "p: (top): expected an object, found null");
}

TEST(ParseResources, ReadsResourcesAlone) {
  auto resources = ParseResources(Seed("resources.json"), "resources.json");
  ASSERT_TRUE(resources) << resources.error().Text();
  EXPECT_EQ(resources->pids_limit, 0);
  EXPECT_FALSE(ParseResources(R"({"memory": {"limit": "1g"}})", "r"));
}

}  // namespace kiste::oci
