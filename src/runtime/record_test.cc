// SPDX-License-Identifier: Apache-2.0
#include "runtime/record.h"

#include <gtest/gtest.h>
#include <sched.h>

#include "base/strings.h"

namespace kiste::runtime {

namespace {

Record Full() {
  Record record;
  record.id = "c1";
  record.bundle = "/b \"quoted\"\n";
  record.rootfs = "/b/rootfs";
  record.created = "2026-01-02T03:04:05.123456789Z";
  record.pid = 4711;
  record.start_time = 18446744073709551615u;
  record.namespaces = CLONE_NEWNS | CLONE_NEWPID;
  record.owner = 4294967294u;
  record.rootless = true;
  record.cgroups = {{"", "/sys/fs/cgroup/unified/c"}, {"memory", "/sys/fs/cgroup/memory/c"}};
  record.kept_cgroups = {"/sys/fs/cgroup/memory/c"};
  record.annotations = {{"a", "1"}, {"b.c/d", ""}};
  record.descriptors = {"/dev/null", "pipe:[4711]", "/log \"x\""};
  return record;
}

std::string Replace(std::string text, const std::string& from, const std::string& to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST(Record, ComesBackAsItWas) {
  Record record = Full();
  auto parsed = ParseRecord(RecordJson(record), "state.json");
  ASSERT_TRUE(parsed) << parsed.error().Text();
  EXPECT_EQ(parsed->id, record.id);
  EXPECT_EQ(parsed->bundle, record.bundle);
  EXPECT_EQ(parsed->rootfs, record.rootfs);
  EXPECT_EQ(parsed->created, record.created);
  EXPECT_EQ(parsed->pid, record.pid);
  EXPECT_EQ(parsed->start_time, record.start_time);
  EXPECT_EQ(parsed->namespaces, record.namespaces);
  EXPECT_EQ(parsed->owner, record.owner);
  EXPECT_EQ(parsed->rootless, record.rootless);
  EXPECT_EQ(parsed->cgroups, record.cgroups);
  EXPECT_EQ(parsed->kept_cgroups, record.kept_cgroups);
  EXPECT_EQ(parsed->descriptors, record.descriptors);
  EXPECT_EQ(parsed->annotations, record.annotations);
}

TEST(Record, BrokenFilesNameFileAndField) {
  std::string text = RecordJson(Full());
  auto no_pid = ParseRecord(Replace(text, "4711", "\"x\""), "/r/c1/state.json");
  ASSERT_FALSE(no_pid);
  EXPECT_EQ(no_pid.error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(no_pid.error().Text().starts_with("/r/c1/state.json: pid: "))
      << no_pid.error().Text();
  for (const char* member : {"\"id\"", "\"bundle\"", "\"startTime\"", "\"owner\"", "\"rootless\""})
    EXPECT_FALSE(ParseRecord(Replace(text, member, "\"other\""), "f")) << member;
  EXPECT_FALSE(ParseRecord("", "f"));
  EXPECT_FALSE(ParseRecord("[]", "f"));
  EXPECT_FALSE(ParseRecord(text.substr(0, text.size() / 2), "f"));
}

}  // namespace kiste::runtime
