// SPDX-License-Identifier: Apache-2.0
//
// Merging resources, and writing them back into config.json.
#include "oci/merge_resources.h"

#include <gtest/gtest.h>

#include "oci/config_text.h"
#include "oci/resources_text.h"

namespace kiste::oci {
namespace {

Resources Parse(const std::string& text) {
  auto resources = ParseResources(text, "resources");
  EXPECT_TRUE(resources) << text << ": " << resources.error().Text();
  return resources ? *std::move(resources) : Resources{};
}

std::string Merged(const std::string& base, const std::string& given) {
  return ResourcesJson(MergeResources(Parse(base), Parse(given)));
}

TEST(MergeResources, WhatIsNotGivenStays) {
  EXPECT_EQ(Merged(R"({"memory": {"limit": 10, "swap": 20}, "cpu": {"shares": 5, "cpus": "0"}})",
                   R"({"memory": {"limit": 12}, "cpu": {"quota": -1}, "pids": {"limit": 0}})"),
            R"({"memory":{"limit":12,"swap":20},"cpu":{"shares":5,"quota":-1,"cpus":"0"},)"
            R"("pids":{"limit":0}})");
}

TEST(MergeResources, GivenZeroIsGiven) {
  EXPECT_EQ(Merged(R"({"memory": {"limit": 10, "swap": 20}})", R"({"memory": {"swap": 0}})"),
            R"({"memory":{"limit":10,"swap":0}})");
}

TEST(MergeResources, EntriesAreReplacedOrAdded) {
  EXPECT_EQ(
      Merged(R"({"blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1}],
                 "weightDevice": [{"major": 8, "minor": 0, "weight": 10, "leafWeight": 20}]}})",
             R"({"blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 2},
                 {"major": 8, "minor": 1, "rate": 3}],
                 "weightDevice": [{"major": 8, "minor": 0, "weight": 30}]}})"),
      R"({"blockIO":{"weightDevice":[{"major":8,"minor":0,"weight":30,"leafWeight":20}],)"
      R"("throttleReadBpsDevice":[{"major":8,"minor":0,"rate":2},{"major":8,"minor":1,"rate":3}]}})");
  EXPECT_EQ(Merged(R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 1}], "unified": {"a.b": "1"},
                 "rdma": {"x": {"hcaHandles": 1}}, "network": {"classID": 1}})",
                   R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 2}], "unified": {"c.d": "2"},
                 "rdma": {"x": {"hcaObjects": 2}},
                 "network": {"priorities": [{"name": "lo", "priority": 3}]}})"),
            R"({"hugepageLimits":[{"pageSize":"2MB","limit":2}],)"
            R"("network":{"classID":1,"priorities":[{"name":"lo","priority":3}]},)"
            R"("rdma":{"x":{"hcaHandles":1,"hcaObjects":2}},"unified":{"a.b":"1","c.d":"2"}})");
}

TEST(MergeResources, TheListOfDevicesIsReplacedAsAWhole) {
  std::string base = R"({"devices": [{"allow": true, "type": "c", "major": 1, "access": "r"}]})";
  EXPECT_EQ(Merged(base, R"({"devices": [{"allow": true, "access": "rwm"}]})"),
            R"({"devices":[{"allow":true,"type":"a","access":"rwm"}]})");
  for (const char* none : {"{}", R"({"devices": []})"}) {
    EXPECT_EQ(Merged(base, none),
              R"({"devices":[{"allow":true,"type":"c","major":1,"access":"r"}]})");
  }
}

TEST(ResourcesText, EverythingIsReadBackAsItWas) {
  auto resources = Parse(Seed("resources.json"));
  std::string text = ResourcesJson(resources);
  EXPECT_GT(text.size(), 500u);
  EXPECT_EQ(ResourcesJson(Parse(text)), text);
}

TEST(ResourcesText, OnlyTheResourcesChange) {
  Resources resources;
  resources.pids_limit = 7;
  auto text =
      WithResources(R"({"x":[1.5,"ü"],"linux":{"y":null,"resources":{"cpu":{}}}})", "f", resources);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, R"({"x":[1.5,"ü"],"linux":{"y":null,"resources":{"pids":{"limit":7}}}})");
  EXPECT_EQ(WithResources(R"({"x":1})", "f", resources).value(),
            R"({"x":1,"linux":{"resources":{"pids":{"limit":7}}}})");
  EXPECT_EQ(WithResources("{", "f", resources).error().kind, ErrorKind::kInvalid);
}

}  // namespace
}  // namespace kiste::oci
