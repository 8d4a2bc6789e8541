// SPDX-License-Identifier: Apache-2.0
#include "sys/netlink.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_addr.h>

namespace kiste::sys {
namespace {

std::string Shown(uint8_t family, const char* text) {
  char bytes[sizeof(in6_addr)];
  EXPECT_EQ(inet_pton(family, text, bytes), 1) << text;
  NetAddress address;
  address.family = family;
  address.prefix_length = 24;
  size_t size = family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr);
  address.attributes.emplace_back(IFA_LOCAL, std::string(bytes, size));
  return AddressText(address);
}

TEST(AddressText, IsWhatTheCLibraryWrites) {
  for (const char* text : {"10.0.0.1", "0.0.0.0", "255.255.255.255"})
    EXPECT_EQ(Shown(AF_INET, text), std::string(text) + "/24");
  for (const char* text :
       {"::", "::1", "fe80::", "fe80::1", "2001:db8::8:800:200c:417a", "1:0:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8", "1:0:0:2::3", "::2:3:4:5:6:7", "1:2:3:4:5:6::"})
    EXPECT_EQ(Shown(AF_INET6, text), std::string(text) + "/24");
}

}  // namespace
}  // namespace kiste::sys
