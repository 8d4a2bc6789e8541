// SPDX-License-Identifier: Apache-2.0
#include "cli/quantities.h"

#include <gtest/gtest.h>

namespace kiste::cli {
namespace {

TEST(ParseBytes, AsRuncTakesThem) {
  const std::pair<const char*, int64_t> sizes[] = {
      {"0", 0},          {"4096", 4096},      {"-1", -1},           {"64m", 64 << 20},
      {"64M", 64 << 20}, {"1.5g", 3ll << 29}, {"512kb", 512 << 10}, {"2 GiB", 2ll << 30},
      {"7b", 7},         {"1KIB", 1024},      {"1t", 1ll << 40},    {"1p", 1ll << 50}};
  for (const auto& [text, bytes] : sizes) {
    auto parsed = ParseBytes("memory", text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, bytes) << text;
  }
  for (const char* text : {"", "m", "-2", "1x", "1mm", "1bb", "1kbb", "1.2.3", "1e3", "9999999p"}) {
    auto parsed = ParseBytes("memory", text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_TRUE(parsed.error().Text().starts_with("--memory: expected a size")) << text;
  }
}

TEST(ParseInterval, AsGoWritesThem) {
  using std::chrono::milliseconds;
  const std::pair<const char*, int64_t> times[] = {
      {"5s", 5000},  {"100ms", 100}, {"1m30s", 90'000}, {"1.5h", 5'400'000},
      {"2000us", 2}, {"2000µs", 2},  {"3000000ns", 3}};
  for (const auto& [text, expected] : times) {
    auto parsed = ParseInterval("interval", text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, milliseconds(expected)) << text;
  }
  for (const char* text : {"", "5", "s", "0s", "-5s", "5x", "1s2", "1..5s"}) {
    EXPECT_FALSE(ParseInterval("interval", text)) << text;
  }
}

}  // namespace
}  // namespace kiste::cli
