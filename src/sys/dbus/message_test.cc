// SPDX-License-Identifier: Apache-2.0
#include "sys/dbus/message.h"

#include <gtest/gtest.h>

namespace kiste::sys::dbus {

namespace {

Message Call() {
  Message call;
  call.serial = 3;
  call.path = "/org/freedesktop/systemd1";
  call.interface = "org.freedesktop.systemd1.Manager";
  call.member = "StopUnit";
  call.destination = "org.freedesktop.systemd1";
  call.SetBody({String("a.scope"), String("replace")});
  return call;
}

}  // namespace

TEST(Message, WhatIsWrittenReadsBack) {
  std::string bytes = WriteMessage(Call());
  ASSERT_EQ(MessageSize(bytes).value(), bytes.size());
  auto message = ReadMessage(bytes);
  ASSERT_TRUE(message) << message.error().Text();
  EXPECT_EQ(message->type, MessageType::kMethodCall);
  EXPECT_EQ(message->serial, 3U);
  EXPECT_EQ(message->path, "/org/freedesktop/systemd1");
  EXPECT_EQ(message->interface, "org.freedesktop.systemd1.Manager");
  EXPECT_EQ(message->member, "StopUnit");
  EXPECT_EQ(message->destination, "org.freedesktop.systemd1");
  EXPECT_EQ(message->signature, "ss");
  EXPECT_EQ(message->Body().value(), (std::vector<Value>{String("a.scope"), String("replace")}));
}

TEST(Message, TheBodyBeginsAtAMultipleOfEight) {
  for (const char* member : {"A", "Ab", "Abc", "Abcdefgh"}) {
    Message call = Call();
    call.member = member;
    call.SetBody({Uint64(7)});
    auto message = ReadMessage(WriteMessage(call));
    ASSERT_TRUE(message) << member;
    EXPECT_EQ(message->Body().value()[0], Uint64(7));
  }
}

TEST(Message, FieldsThatATypeNeedsMustBeThere) {
  Message reply;
  reply.type = MessageType::kMethodReturn;
  reply.serial = 1;
  EXPECT_FALSE(ReadMessage(WriteMessage(reply)));
  reply.reply_serial = 5;
  EXPECT_EQ(ReadMessage(WriteMessage(reply)).value().reply_serial, 5U);
  reply.type = MessageType::kError;
  EXPECT_FALSE(ReadMessage(WriteMessage(reply)));
  Message signal = Call();
  signal.type = MessageType::kSignal;
  signal.interface.clear();
  EXPECT_FALSE(ReadMessage(WriteMessage(signal)));
}

TEST(Message, ALengthThatNobodyAsksForIsRefused) {
  std::string bytes = WriteMessage(Call());
  bytes[7] = '\x7f';  // the body's length
  EXPECT_FALSE(MessageSize(bytes));
  bytes = WriteMessage(Call());
  bytes[15] = '\x7f';  // the fields' length
  EXPECT_FALSE(MessageSize(bytes));
}

TEST(Message, WhatIsNoMessageIsRefused) {
  std::string bytes = WriteMessage(Call());
  EXPECT_FALSE(MessageSize("l"));
  for (auto [at, byte] : {std::pair(0, 'x'), std::pair(3, '\2'), std::pair(8, '\0')}) {
    std::string broken = bytes;
    broken[static_cast<size_t>(at)] = byte;
    auto size = MessageSize(broken);
    EXPECT_FALSE(size && ReadMessage(broken)) << at;
  }
}

TEST(Message, NoBrokenByteDoesHarm) {
  std::string bytes = WriteMessage(Call());
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string broken = bytes;
      broken[at] = static_cast<char>(broken[at] ^ (1 << bit));
      auto size = MessageSize(broken);
      if (!size || *size != broken.size()) continue;
      if (auto message = ReadMessage(broken)) static_cast<void>(message->Body());
    }
  }
}

TEST(Message, MoreBytesThanTheSignatureSaysAreAnError) {
  Message call = Call();
  call.signature = "s";
  EXPECT_FALSE(ReadMessage(WriteMessage(call)).value().Body());
}

}  // namespace kiste::sys::dbus
