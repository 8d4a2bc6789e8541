// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/device_rules.h"

#include <gtest/gtest.h>

namespace kiste::sys::cgroup {
namespace {

const DeviceRule kDenyAll{.allow = false};
const DeviceRule kAllowAll{.allow = true};

std::vector<std::string> Texts(const DeviceList& list) {
  std::vector<std::string> texts;
  for (const auto& exception : list.exceptions) texts.push_back(exception.Text());
  return texts;
}

TEST(FoldDeviceRulesTest, AllowListWithoutDuplicates) {
  auto list = FoldDeviceRules({kDenyAll,
                               {true, 'c', 1, 3, "rw"},
                               {true, 'c', 136, -1, "rwm"},
                               {true, 'c', 1, 3, "rwm"},
                               {true, 'c', -1, -1, "m"}});
  ASSERT_TRUE(list);
  EXPECT_FALSE(list->allow);
  EXPECT_EQ(Texts(*list), (std::vector<std::string>{"c 1:3 rwm", "c 136:* rwm", "c *:* m"}));
}

TEST(FoldDeviceRulesTest, NothingIsAllowedByDefault) {
  auto list = FoldDeviceRules({{true, 'b', 8, 0, "r"}});
  ASSERT_TRUE(list);
  EXPECT_FALSE(list->allow);
  EXPECT_EQ(Texts(*list), std::vector<std::string>{"b 8:0 r"});
}

TEST(FoldDeviceRulesTest, ALaterRuleForAllForgetsTheEarlierOnes) {
  auto list = FoldDeviceRules({{true, 'c', 1, 3, "rw"}, kAllowAll, {false, 'b', 8, -1, "w"}});
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->allow);
  EXPECT_EQ(Texts(*list), std::vector<std::string>{"b 8:* w"});
}

TEST(FoldDeviceRulesTest, TypeAWithNumbersMeansBothTypes) {
  auto list = FoldDeviceRules({kDenyAll, {true, 'a', 7, 1, "r"}});
  ASSERT_TRUE(list);
  EXPECT_EQ(Texts(*list), (std::vector<std::string>{"b 7:1 r", "c 7:1 r"}));
  // Not "everything", which is how the kernel's files would read a bare "a".
  list = FoldDeviceRules({kDenyAll, {true, 'a', -1, -1, "m"}});
  ASSERT_TRUE(list);
  EXPECT_FALSE(list->allow);
  EXPECT_EQ(Texts(*list), (std::vector<std::string>{"b *:* m", "c *:* m"}));
}

TEST(FoldDeviceRulesTest, TakingBack) {
  auto list = FoldDeviceRules({{true, 'c', 1, 3, "rwm"}, {false, 'c', 1, -1, "w"}});
  ASSERT_TRUE(list);
  EXPECT_EQ(Texts(*list), std::vector<std::string>{"c 1:3 rm"});
  list = FoldDeviceRules({{true, 'c', 1, 3, "rwm"}, {false, 'c', 1, 3, "rwm"}});
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->exceptions.empty());

  auto partial = FoldDeviceRules({{true, 'c', 1, -1, "rwm"}, {false, 'c', 1, 3, "w"}});
  ASSERT_FALSE(partial);
  EXPECT_EQ(partial.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(partial.error().Text().find("deny c 1:3 w"), std::string::npos);
}

TEST(CheckDeviceRuleTest, RefusesNonsense) {
  EXPECT_EQ(CheckDeviceRule({true, 'c', 1, 3, "mrw"}).value(), kDeviceAll);
  EXPECT_FALSE(CheckDeviceRule({true, 'p', 1, 3, "rw"}));
  EXPECT_FALSE(CheckDeviceRule({true, 'c', -2, 3, "rw"}));
  EXPECT_FALSE(CheckDeviceRule({true, 'c', 1, int64_t{1} << 32, "rw"}));
  EXPECT_FALSE(CheckDeviceRule({true, 'c', 1, 3, "x"}));
}

}  // namespace
}  // namespace kiste::sys::cgroup
