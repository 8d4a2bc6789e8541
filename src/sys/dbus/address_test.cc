// SPDX-License-Identifier: Apache-2.0
#include "sys/dbus/address.h"

#include <gtest/gtest.h>

namespace kiste::sys::dbus {

using Addresses = std::vector<UnixAddress>;

TEST(Address, PathsAndAbstractNamesAreTakenInTheirOrder) {
  auto addresses = ParseAddresses("unix:path=/run/user/1/bus,guid=00ff;unix:abstract=/tmp/x", "");
  ASSERT_TRUE(addresses);
  EXPECT_EQ(*addresses, (Addresses{{"/run/user/1/bus", false}, {"/tmp/x", true}}));
}

TEST(Address, RuntimeMeansTheRuntimeDirectory) {
  EXPECT_EQ(ParseAddresses("unix:runtime=yes", "/run/user/7").value(),
            (Addresses{{"/run/user/7/bus", false}}));
  EXPECT_FALSE(ParseAddresses("unix:runtime=yes", ""));
}

TEST(Address, OtherTransportsArePassedOver) {
  EXPECT_EQ(ParseAddresses("tcp:host=localhost,port=1;unix:path=/x;autolaunch:", "").value(),
            (Addresses{{"/x", false}}));
  EXPECT_FALSE(ParseAddresses("tcp:host=localhost", ""));
  EXPECT_FALSE(ParseAddresses("", ""));
}

TEST(Address, EscapesAreUndone) {
  EXPECT_EQ(ParseAddresses("unix:path=/a%20b%2c", "").value(), (Addresses{{"/a b,", false}}));
  for (const char* wrong : {"unix:path=%2", "unix:path=%zz", "unix:path=%00",
                            "unix:path=", "unix:path", "unix:path=%+1"}) {
    EXPECT_FALSE(ParseAddresses(wrong, "")) << wrong;
  }
}

TEST(Address, WhatWasEscapedReadsBack) {
  std::string path = "/run/a b,c;d=e%\xc3\xa4-_.x";
  std::string list = "unix:path=" + EscapeAddress(path);
  EXPECT_EQ(ParseAddresses(list, "").value(), (Addresses{{path, false}}));
}

}  // namespace kiste::sys::dbus
