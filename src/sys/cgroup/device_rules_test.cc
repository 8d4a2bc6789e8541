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

TEST(ParseDeviceListTest, WhatTheKernelWrites) {
  auto list = ParseDeviceList("c *:* m\nb *:* m\nc 1:3 rwm\nc 136:* rw\n");
  ASSERT_TRUE(list);
  EXPECT_FALSE(list->allow);
  EXPECT_EQ(Texts(*list),
            (std::vector<std::string>{"c *:* m", "b *:* m", "c 1:3 rwm", "c 136:* rw"}));
  EXPECT_TRUE(ParseDeviceList("a *:* rwm\n")->allow);
  list = ParseDeviceList("");
  ASSERT_TRUE(list);
  EXPECT_TRUE(!list->allow && list->exceptions.empty());
  for (const char* wrong : {"c 1:3", "c 1 rwm", "c 1:x rw", "cc 1:3 rw", "c 1:3 rx", "d 1:3 r"}) {
    EXPECT_FALSE(ParseDeviceList(wrong)) << wrong;
  }
}

// allow and deny lines, in the order in which they are written
std::string Change(const std::vector<DeviceRule>& now, const std::vector<DeviceRule>& wanted) {
  auto change = ChangeDeviceList(FoldDeviceRules(now).value(), FoldDeviceRules(wanted).value());
  std::string text;
  if (change.everything) text = *change.everything ? "+a, " : "-a, ";
  for (const auto& line : change.allow) text += "+" + line + ", ";
  for (const auto& line : change.deny) text += "-" + line + ", ";
  return text;
}

TEST(ChangeDeviceListTest, WhatBothListsAllowIsNotTouched) {
  DeviceRule null{true, 'c', 1, 3, "rwm"}, fuse{true, 'c', 10, 229, "rw"};
  EXPECT_EQ(Change({null}, {null}), "");
  EXPECT_EQ(Change({null}, {null, fuse}), "+c 10:229 rw, ");
  EXPECT_EQ(Change({null, fuse}, {fuse}), "-c 1:3 rwm, ");
  EXPECT_EQ(Change({null, fuse}, {null, {true, 'c', 10, 229, "wm"}}), "+c 10:229 m, -c 10:229 r, ");
  EXPECT_EQ(Change({{true, 'c', 10, -1, "rw"}}, {fuse}), "+c 10:229 rw, -c 10:* rw, ");
  EXPECT_EQ(Change({null}, {null, {true, 'a', -1, -1, "m"}}), "+b *:* m, +c *:* m, ");
}

TEST(ChangeDeviceListTest, AnotherDefaultForgetsWhatWas) {
  DeviceRule null{true, 'c', 1, 3, "rwm"}, not_full{false, 'c', 1, 7, "w"};
  EXPECT_EQ(Change({kAllowAll}, {null}), "-a, +c 1:3 rwm, ");
  EXPECT_EQ(Change({null}, {kAllowAll}), "+a, ");
  EXPECT_EQ(Change({null}, {kAllowAll, not_full}), "+a, -c 1:7 w, ");
  // Which exceptions there are devices.list does not say.
  EXPECT_EQ(Change({kAllowAll}, {kAllowAll, not_full}), "+a, -c 1:7 w, ");
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
