// SPDX-License-Identifier: Apache-2.0
#include "oci/number_list.h"

#include <gtest/gtest.h>

namespace kiste::oci {

TEST(NumberList, RangesAscendAndAreBounded) {
  for (auto good : {"0", "7", "0-3", "5-5", "65536"}) EXPECT_TRUE(IsNumberRange(good)) << good;
  for (auto bad : {"", "-", "3-1", "0-", "-1", "a", "1-2-3", "65537", "0-4294967296", " 1"})
    EXPECT_FALSE(IsNumberRange(bad)) << bad;
}

TEST(NumberList, BitsAreInWordsOf64) {
  using Bits = std::vector<uint64_t>;
  EXPECT_EQ(NumberListBits(""), Bits{});
  EXPECT_EQ(NumberListBits("0-3,7"), Bits{0x8f});
  EXPECT_EQ(NumberListBits(" 1 , 64-65 ,"), (Bits{2, 3}));
  EXPECT_EQ(NumberListBits("63-64"), (Bits{uint64_t{1} << 63, 1}));
}

}  // namespace kiste::oci
