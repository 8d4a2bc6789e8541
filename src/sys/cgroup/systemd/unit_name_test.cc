// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/systemd/unit_name.h"

#include <gtest/gtest.h>

namespace kiste::sys::cgroup::systemd {

namespace {

constexpr auto kSystem = ManagerKind::kSystem;
constexpr auto kUser = ManagerKind::kUser;

}  // namespace

TEST(UnitName, SlicesLieInTheSlicesThatTheirNamesBeginWith) {
  EXPECT_EQ(ExpandSlice("system.slice").value(), "/system.slice");
  EXPECT_EQ(ExpandSlice("a-b-c.slice").value(), "/a.slice/a-b.slice/a-b-c.slice");
  EXPECT_EQ(ExpandSlice("-.slice").value(), "");
  EXPECT_EQ(ExpandSlice("-").value(), "");
}

TEST(UnitName, WhatIsNoSliceIsRefused) {
  for (const char* wrong : {"", "system", ".slice", "-a.slice", "a-.slice", "a--b.slice",
                            "a/b.slice", "../a.slice", "a b.slice", "a.slice/b.slice"}) {
    EXPECT_FALSE(ExpandSlice(wrong)) << wrong;
  }
}

TEST(UnitName, ThreePartsNameAScopeInASlice) {
  auto place = PlaceUnit("machine-a.slice:libpod:12", "id", kSystem).value();
  EXPECT_EQ(place.unit, "libpod-12.scope");
  EXPECT_EQ(place.slice, "machine-a.slice");
  EXPECT_EQ(place.path, "/machine.slice/machine-a.slice/libpod-12.scope");
  EXPECT_FALSE(place.IsSlice());
}

TEST(UnitName, WithoutASliceItIsTheManagersUsualOne) {
  EXPECT_EQ(PlaceUnit(":a:b", "id", kSystem).value().path, "/system.slice/a-b.scope");
  EXPECT_EQ(PlaceUnit(":a:b", "id", kUser).value().path, "/user.slice/a-b.scope");
}

TEST(UnitName, TheRootSliceHasTwoNames) {
  for (const char* path : {"-:a:b", "-.slice:a:b"}) {
    auto place = PlaceUnit(path, "id", kSystem).value();
    EXPECT_EQ(place.path, "/a-b.scope");
    EXPECT_EQ(place.slice, "-.slice");
  }
}

TEST(UnitName, WithoutAPathTheIdNamesIt) {
  EXPECT_EQ(PlaceUnit("", "abc", kSystem).value().path, "/system.slice/kiste-abc.scope");
  EXPECT_EQ(PlaceUnit("", "a+b", kUser).value().unit, "kiste-a\\x2bb.scope");
}

TEST(UnitName, ANameThatIsASliceIsTheUnit) {
  auto place = PlaceUnit("a.slice:ignored:a-b.slice", "id", kSystem).value();
  EXPECT_EQ(place.unit, "a-b.slice");
  EXPECT_EQ(place.path, "/a.slice/a-b.slice");
  EXPECT_TRUE(place.IsSlice());
  EXPECT_FALSE(PlaceUnit("a.slice::-.slice", "id", kSystem));
}

TEST(UnitName, OtherFormsAreRefused) {
  for (const char* wrong : {"/a/b", "name", "a.slice:b", "a.slice:b:c:d", "a:b:c", "a.slice:b/c:d",
                            "a.slice:b:c d", "a.slice:../b:c"}) {
    EXPECT_FALSE(PlaceUnit(wrong, "id", kSystem)) << wrong;
  }
  EXPECT_FALSE(PlaceUnit(":a:" + std::string(250, 'x'), "id", kSystem));
}

}  // namespace kiste::sys::cgroup::systemd
