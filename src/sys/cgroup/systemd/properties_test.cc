// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/systemd/properties.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "sys/cgroup/systemd/unit.h"

namespace kiste::sys::cgroup::systemd {

namespace {

constexpr SystemdHost kV2 = {.v2 = true, .version = 255}, kV1 = {.v2 = false, .version = 245};
constexpr uint64_t kInfinity = UINT64_MAX;

using Named = std::map<std::string, dbus::Value>;

Named ByName(const std::vector<Property>& properties) {
  Named named;
  for (const auto& [name, value] : properties) named[name] = value;
  return named;
}
Named Of(const Resources& resources, const SystemdHost& host) {
  return ByName(ResourceProperties(resources, host).value());
}

Resources WithMemory(Memory memory) { return {.memory = memory}; }
Resources WithCpu(Cpu cpu) { return {.cpu = std::move(cpu)}; }
Resources WithUnified(std::string file, std::string value) {
  Resources resources;
  resources.unified[std::move(file)] = std::move(value);
  return resources;
}

}  // namespace

TEST(Properties, MemoryHasOtherNamesOnV1) {
  auto resources = WithMemory({.limit = 1000, .reservation = 500, .swap = 1500});
  EXPECT_EQ(Of(resources, kV2), (Named{{"MemoryMax", dbus::Uint64(1000)},
                                       {"MemoryLow", dbus::Uint64(500)},
                                       {"MemorySwapMax", dbus::Uint64(500)}}));
  EXPECT_EQ(Of(resources, kV1), (Named{{"MemoryLimit", dbus::Uint64(1000)}}));
  EXPECT_EQ(
      Of(WithMemory({.limit = -1}), kV2),
      (Named{{"MemoryMax", dbus::Uint64(kInfinity)}, {"MemorySwapMax", dbus::Uint64(kInfinity)}}));
  EXPECT_FALSE(ResourceProperties(WithMemory({.limit = 1000, .swap = 10}), kV2));
}

TEST(Properties, SharesAreAWeightOnV2) {
  EXPECT_EQ(Of(WithCpu({.shares = 1024}), kV2), (Named{{"CPUWeight", dbus::Uint64(100)}}));
  EXPECT_EQ(Of(WithCpu({.shares = 1024}), kV1), (Named{{"CPUShares", dbus::Uint64(1024)}}));
  EXPECT_EQ(Of(WithCpu({.shares = 1024, .idle = 1}), kV2), (Named{{"CPUWeight", dbus::Uint64(0)}}));
  EXPECT_EQ(Of(WithCpu({.shares = 1024, .idle = 1}), {.v2 = true, .version = 251}),
            (Named{{"CPUWeight", dbus::Uint64(100)}}));
}

TEST(Properties, QuotasAreRoundedUpToPercents) {
  auto quota = [](int64_t value, uint64_t period) {
    return Of(WithCpu({.period = period, .quota = value}), kV2)["CPUQuotaPerSecUSec"];
  };
  EXPECT_EQ(quota(50'000, 100'000), dbus::Uint64(500'000));
  EXPECT_EQ(quota(33'333, 100'000), dbus::Uint64(340'000));
  EXPECT_EQ(quota(50'000, 0), dbus::Uint64(500'000));
  EXPECT_EQ(quota(1, 1'000'000), dbus::Uint64(10'000));
  EXPECT_EQ(quota(-1, 0), dbus::Uint64(kInfinity));
  EXPECT_EQ(quota(0, 50'000), dbus::Uint64(kInfinity));
  EXPECT_EQ(quota(INT64_MAX, 1), dbus::Uint64(kInfinity));
}

TEST(Properties, WhatAnOldSystemdDoesNotKnowIsLeftToTheFiles) {
  auto resources = WithCpu({.period = 50'000, .quota = 25'000, .cpus = "0", .mems = "0"});
  EXPECT_EQ(Of(resources, {.v2 = true, .version = 241}),
            (Named{{"CPUQuotaPerSecUSec", dbus::Uint64(500'000)}}));
  EXPECT_EQ(Of(resources, kV2).size(), 4U);
  EXPECT_TRUE(NeedsVersion(resources));
  EXPECT_FALSE(NeedsVersion(WithMemory({.limit = 1000})));
}

TEST(Properties, CpuListsAreBits) {
  auto bits = [](std::string list) { return Of(WithCpu({.cpus = list}), kV2)["AllowedCPUs"]; };
  EXPECT_EQ(bits("0"), dbus::Bytes({1}));
  EXPECT_EQ(bits("0-2, 9"), dbus::Bytes({7, 2}));
  EXPECT_EQ(bits("8-15"), dbus::Bytes({0, 255}));
  for (const char* wrong : {"a", "3-1", "1-", "-1", ",", "0-99999999999", "8192"}) {
    EXPECT_FALSE(ResourceProperties(WithCpu({.cpus = wrong}), kV2)) << wrong;
  }
}

TEST(Properties, PidsAndWeights) {
  Resources resources;
  for (auto [limit, expected] : {std::pair<int64_t, uint64_t>(5, 5), {0, 1}, {-1, kInfinity}}) {
    resources.pids_limit = limit;
    EXPECT_EQ(Of(resources, kV2), (Named{{"TasksMax", dbus::Uint64(expected)}}));
  }
  Resources io{.block_io = BlockIo{.weight = 1000}};
  EXPECT_EQ(Of(io, kV2), (Named{{"IOWeight", dbus::Uint64(10'000)}}));
  EXPECT_EQ(Of(io, kV1), (Named{{"BlockIOWeight", dbus::Uint64(1000)}}));
}

TEST(Properties, UnifiedFilesThatSystemdWritesBecomeProperties) {
  struct {
    const char *file, *value, *property;
    uint64_t number;
  } cases[] = {{"memory.high", "4096", "MemoryHigh", 4096},
               {"memory.min", " 1\n", "MemoryMin", 1},
               {"memory.swap.max", "max", "MemorySwapMax", kInfinity},
               {"pids.max", "0", "TasksMax", 1},
               {"cpu.weight", "50", "CPUWeight", 50},
               {"cpu.idle", "1", "CPUWeight", 0},
               {"cpu.max", "50000", "CPUQuotaPerSecUSec", 500'000},
               {"cpu.max", "max 50000", "CPUQuotaPeriodUSec", 50'000}};
  for (const auto& [file, value, property, number] : cases) {
    EXPECT_EQ(Of(WithUnified(file, value), kV2)[property], dbus::Uint64(number)) << file;
  }
  EXPECT_EQ(Of(WithUnified("cpuset.cpus", "1"), kV2)["AllowedCPUs"], dbus::Bytes({2}));
  EXPECT_TRUE(Of(WithUnified("hugetlb.2MB.max", "0"), kV2).empty());
  EXPECT_FALSE(ResourceProperties(WithUnified("memory.high", "lots"), kV2));
  EXPECT_FALSE(ResourceProperties(WithUnified("cpu.max", "1 2 3"), kV2));
}

TEST(Properties, DevicesAreAListOfWhatIsAllowed) {
  std::vector<DeviceRule> rules = {
      {.allow = false}, {true, 'c', 1, 3, "rw"}, {true, 'b', 8, -1, "r"}, {true, 'c', -1, -1, "m"}};
  auto named = ByName(DeviceProperties(rules, true).value());
  EXPECT_EQ(named["DevicePolicy"], dbus::String("strict"));
  auto entry = [](const char* name, const char* access) {
    return dbus::Struct({dbus::String(name), dbus::String(access)});
  };
  EXPECT_EQ(named["DeviceAllow"],
            dbus::Array("(ss)", {entry("/dev/char/1:3", "rw"), entry("block-8", "r"),
                                 entry("char-*", "m")}));
  EXPECT_TRUE(DeviceProperties({}, true).value().empty());
}

TEST(Properties, WhatSystemdCannotSayAboutDevicesIsMoreOnV2AndLessOnV1) {
  std::vector<DeviceRule> minor = {{.allow = false}, {true, 'c', -1, 5, "rw"}};
  auto v2 = ByName(DeviceProperties(minor, true).value())["DeviceAllow"];
  EXPECT_EQ(v2, dbus::Array("(ss)", {dbus::Struct({dbus::String("char-*"), dbus::String("rw")})}));
  EXPECT_EQ(ByName(DeviceProperties(minor, false).value())["DeviceAllow"], dbus::Array("(ss)", {}));
  std::vector<DeviceRule> all_but = {{.allow = true}, {false, 'c', 1, 5, "rwm"}};
  EXPECT_EQ(ByName(DeviceProperties(all_but, true).value())["DevicePolicy"], dbus::String("auto"));
  EXPECT_EQ(ByName(DeviceProperties(all_but, false).value())["DevicePolicy"],
            dbus::String("strict"));
  EXPECT_FALSE(DeviceProperties({{true, 'x', 1, 1, "rw"}}, true));
}

TEST(Properties, AScopeIsDelegatedAndHoldsTheProcess) {
  UnitRequest request{.place = PlaceUnit("a.slice:b:c", "id", ManagerKind::kSystem).value()};
  request.annotations = {{"org.systemd.property.CollectMode", "'inactive'"}};
  request.resources.unified["memory.oom.group"] = "1";
  auto properties = UnitProperties(request, kV2, 42).value();
  auto named = ByName(properties);
  EXPECT_EQ(named["Slice"], dbus::String("a.slice"));
  EXPECT_EQ(named["Delegate"], dbus::Bool(true));
  EXPECT_EQ(named["PIDs"], dbus::Array("u", {dbus::Uint32(42)}));
  EXPECT_EQ(named["DefaultDependencies"], dbus::Bool(false));
  EXPECT_EQ(named["IOAccounting"], dbus::Bool(true));
  EXPECT_EQ(named["OOMPolicy"], dbus::String("kill"));
  EXPECT_EQ(properties.back().name, "CollectMode");  // the last one counts
  EXPECT_EQ(properties.back().value, dbus::String("inactive"));
}

TEST(Properties, ASliceWantsItsParentAndHoldsNobody) {
  UnitRequest request{.place = PlaceUnit("a.slice::a-b.slice", "id", ManagerKind::kSystem).value()};
  auto named = ByName(UnitProperties(request, kV1, 42).value());
  EXPECT_EQ(named["Wants"], dbus::Strings({"a.slice"}));
  EXPECT_EQ(named["BlockIOAccounting"], dbus::Bool(true));
  for (const char* name : {"Slice", "Delegate", "PIDs"}) EXPECT_FALSE(named.contains(name)) << name;
}

TEST(Properties, AUsersUnitHasNoDevices) {
  UnitRequest request{.place = PlaceUnit("", "id", ManagerKind::kUser).value(),
                      .kind = ManagerKind::kUser};
  request.resources.devices = {{.allow = false}};
  EXPECT_FALSE(ByName(UnitProperties(request, kV2, 42).value()).contains("DevicePolicy"));
}

}  // namespace kiste::sys::cgroup::systemd
