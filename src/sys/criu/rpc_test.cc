// SPDX-License-Identifier: Apache-2.0
#include "sys/criu/rpc.h"

#include <gtest/gtest.h>

#include <map>

#include "sys/criu/wire.h"

namespace kiste::sys::criu {
namespace {

std::multimap<uint32_t, WireField> Fields(std::string_view message) {
  std::multimap<uint32_t, WireField> fields;
  auto read = ForEachField(message, [&](const WireField& field) -> Status {
    fields.emplace(field.number, field);
    return {};
  });
  EXPECT_TRUE(read) << read.error().Text();
  return fields;
}

TEST(CriuRpc, RequestCarriesTypeAndOptions) {
  Options options;
  options.images_directory = 7;
  options.pid = 4711;
  options.log_file = "dump.log";
  options.leave_running = true;
  options.manage_cgroups = CgroupMode::kIgnore;
  options.external_mounts = {{"/data", "/data"}, {"/etc/hosts", "/etc/hosts"}};
  options.inherited = {{"pipe:[12]", 9}};
  options.page_server = PageServer{"10.0.0.1", 27};
  std::string request = EncodeRequest(RequestType::kDump, options);
  auto outer = Fields(request);
  EXPECT_EQ(outer.find(1)->second.value, 1U);
  auto fields = Fields(outer.find(2)->second.bytes);
  EXPECT_EQ(fields.find(1)->second.value, 7U);
  EXPECT_EQ(fields.find(2)->second.value, 4711U);
  EXPECT_EQ(fields.find(3)->second.value, 1U);
  EXPECT_EQ(fields.find(10)->second.bytes, "dump.log");
  EXPECT_EQ(fields.find(34)->second.value, 0U);
  EXPECT_EQ(fields.count(23), 2U);
  auto inherited = Fields(fields.find(27)->second.bytes);
  EXPECT_EQ(inherited.find(1)->second.bytes, "pipe:[12]");
  EXPECT_EQ(inherited.find(2)->second.value, 9U);
  auto server = Fields(fields.find(11)->second.bytes);
  EXPECT_EQ(server.find(1)->second.bytes, "10.0.0.1");
  EXPECT_EQ(server.find(2)->second.value, 27U);
}

TEST(CriuRpc, WhatIsNotAskedForIsNotSent) {
  auto fields = Fields(Fields(EncodeRequest(RequestType::kRestore, {})).find(2)->second.bytes);
  EXPECT_EQ(fields.size(), 2U);  // images_dir_fd, which is required, and log_level
  EXPECT_TRUE(fields.contains(1));
  EXPECT_TRUE(fields.contains(9));
}

TEST(CriuRpc, ReadsNotification) {
  WireWriter notify;
  notify.Bytes(1, "post-restore");
  notify.Number(2, 1234);
  WireWriter writer;
  writer.Number(1, 6);
  writer.Number(2, 1);
  writer.Bytes(5, notify.text());
  auto response = DecodeResponse(writer.text());
  ASSERT_TRUE(response) << response.error().Text();
  EXPECT_EQ(response->type, RequestType::kNotify);
  EXPECT_TRUE(response->success);
  EXPECT_EQ(response->script, "post-restore");
  EXPECT_EQ(response->pid, 1234);
}

TEST(CriuRpc, ReadsFailure) {
  WireWriter writer;
  writer.Number(1, 1);
  writer.Number(2, 0);
  writer.Signed(7, 17);
  writer.Bytes(9, "Error (x.c:1): no\n");
  auto response = DecodeResponse(writer.text());
  ASSERT_TRUE(response);
  EXPECT_FALSE(response->success);
  EXPECT_EQ(response->errno_value, 17);
  EXPECT_EQ(response->message, "Error (x.c:1): no\n");
}

TEST(CriuRpc, ReadsVersionAndFeatures) {
  WireWriter version;
  version.Number(1, 3);
  version.Number(2, 17);
  version.Number(4, 1);
  WireWriter features;
  features.Number(1, 1);
  features.Number(2, 0);
  WireWriter writer;
  writer.Number(1, 10);
  writer.Number(2, 1);
  writer.Bytes(8, features.text());
  writer.Bytes(10, version.text());
  auto response = DecodeResponse(writer.text());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->version, 31701U);
  EXPECT_TRUE(response->features.memory_tracking);
  EXPECT_FALSE(response->features.lazy_pages);
}

TEST(CriuRpc, RefusesNoise) { EXPECT_FALSE(DecodeResponse("\x12\x7f")); }

}  // namespace
}  // namespace kiste::sys::criu
