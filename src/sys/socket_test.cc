// SPDX-License-Identifier: Apache-2.0
#include "sys/socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <vector>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/memfd.h"

namespace kiste::sys {

namespace {

class SocketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / "kiste-socket-XXXXXX";
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  // A directory whose path is far longer than a socket address can be.
  std::string DeepDirectory() {
    std::string deep = StrCat(path_, "/", std::string(100, 'a'), "/", std::string(100, 'b'));
    EXPECT_TRUE(MakeDirectories(deep, 0700));
    return deep;
  }

  // A stream listener called `name` in `directory`.
  static Fd StreamListener(const std::string& directory, const std::string& name) {
    Fd folder = Open(directory, O_PATH | O_DIRECTORY).value();
    Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string path = StrCat("/proc/self/fd/", folder.get(), "/", name);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    EXPECT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener.get(), 1), 0);
    return listener;
  }

  std::string path_;
};

bool IsCloseOnExec(const Fd& fd) { return (fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0; }

}  // namespace

TEST_F(SocketTest, PairKeepsMessageBoundaries) {
  auto pair = MakeSocketPair().value();
  EXPECT_TRUE(IsCloseOnExec(pair.ours) && IsCloseOnExec(pair.theirs));
  ASSERT_TRUE(Send(pair.ours.get(), "one", 3));
  ASSERT_TRUE(Send(pair.ours.get(), "three", 5));
  char bytes[64];
  EXPECT_EQ(Receive(pair.theirs.get(), bytes, sizeof bytes).value(), 3u);
  EXPECT_EQ(Receive(pair.theirs.get(), bytes, sizeof bytes).value(), 5u);
  pair.ours.Reset();
  EXPECT_EQ(Receive(pair.theirs.get(), bytes, sizeof bytes).value(), 0u);
}

TEST_F(SocketTest, SendingToNobodyIsAnErrorAndNoSignal) {
  auto pair = MakeSocketPair().value();
  pair.theirs.Reset();
  auto sent = Send(pair.ours.get(), "x", 1);  // SIGPIPE would end this program
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().errno_value, EPIPE);
  auto handed = SendDescriptor(pair.ours.get(), 0, "x");
  ASSERT_FALSE(handed);
  EXPECT_EQ(handed.error().errno_value, EPIPE);
}

TEST_F(SocketTest, PeerThatDiesWithUnreadMessagesIsTheEnd) {
  auto pair = MakeSocketPair().value();
  ASSERT_TRUE(Send(pair.ours.get(), "unread", 6));
  pair.theirs.Reset();  // leaves ECONNRESET behind
  char byte;
  EXPECT_EQ(Receive(pair.ours.get(), &byte, 1).value(), 0u);
}

TEST_F(SocketTest, ListensAndConnectsBelowLongPaths) {
  Fd folder = Open(DeepDirectory(), O_RDONLY | O_DIRECTORY).value();
  EXPECT_FALSE(ConnectAt(folder.get(), "start"));
  Fd listener = ListenAt(folder.get(), "start").value();
  EXPECT_TRUE(IsCloseOnExec(listener));
  Fd client = ConnectAt(folder.get(), "start").value();
  Fd server(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(server);
  ASSERT_TRUE(Send(client.get(), "s", 1));
  char byte = 0;
  EXPECT_EQ(Receive(server.get(), &byte, 1).value(), 1u);
  EXPECT_EQ(byte, 's');
  auto again = ListenAt(folder.get(), "start");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().errno_value, EADDRINUSE);
}

TEST_F(SocketTest, WhatAPeerSaidBeforeItDiedWithUnreadMessagesIsReceived) {
  auto pair = MakeSocketPair().value();
  ASSERT_TRUE(Send(pair.ours.get(), "unread", 6));
  ASSERT_TRUE(Send(pair.theirs.get(), "last", 4));
  pair.theirs.Reset();
  char bytes[8];
  EXPECT_EQ(Receive(pair.ours.get(), bytes, sizeof bytes).value(), 4u);
  EXPECT_EQ(Receive(pair.ours.get(), bytes, sizeof bytes).value(), 0u);
}

TEST_F(SocketTest, ReceivingHasALimit) {
  auto pair = MakeSocketPair().value();
  char byte;
  auto deadline = Deadline::In(std::chrono::milliseconds(10));
  EXPECT_EQ(Receive(pair.ours.get(), &byte, 1, deadline).error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(ReceiveDescriptor(pair.ours.get(), deadline).error().kind, ErrorKind::kTimeout);
}

TEST_F(SocketTest, ConnectingToOneWhoAcceptsNobodyHasALimit) {
  Fd folder = Open(path_, O_RDONLY | O_DIRECTORY).value();
  EXPECT_FALSE(Listens(folder.get(), "start"));
  Fd listener = ListenAt(folder.get(), "start").value();
  std::vector<Fd> waiting;
  Result<Fd> connected = Fd();
  while (connected && waiting.size() < 100) {
    connected = ConnectAt(folder.get(), "start", Deadline::In(std::chrono::milliseconds(10)));
    if (connected) waiting.push_back(std::move(*connected));
  }
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::kTimeout);
  EXPECT_TRUE(Listens(folder.get(), "start"));  // a full queue is somebody's
}

TEST_F(SocketTest, NobodyListensAfterTheListenerIsGone) {
  Fd folder = Open(path_, O_RDONLY | O_DIRECTORY).value();
  {
    Fd listener = ListenAt(folder.get(), "start").value();
  }
  auto connected = ConnectAt(folder.get(), "start");  // the name is still there
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().errno_value, ECONNREFUSED);
}

TEST_F(SocketTest, StreamConnectionByShortAndLongPath) {
  Fd near = StreamListener(path_, "console");
  EXPECT_TRUE(ConnectStream(path_ + "/console"));
  std::string deep = DeepDirectory();
  Fd far = StreamListener(deep, "console");
  auto connected = ConnectStream(deep + "/console");
  EXPECT_TRUE(connected) << connected.error().Text();
}

TEST_F(SocketTest, LongNameOfASocketIsRefused) {
  auto connected = ConnectStream(StrCat(path_, "/", std::string(200, 'x')));
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::kInvalid);
}

TEST_F(SocketTest, LongRelativePathIsAnError) {
  EXPECT_FALSE(ConnectStream(std::string(200, 'x')));  // no slash in it at all
}

TEST_F(SocketTest, StreamErrorsNameThePath) {
  auto connected = ConnectStream(path_ + "/none");
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().errno_value, ENOENT);
  EXPECT_TRUE(connected.error().Text().starts_with(StrCat("connect ", path_, "/none")));
}

TEST_F(SocketTest, DescriptorsTravelWithText) {
  auto pair = MakeSocketPair().value();
  Fd file = MemoryFile("sent", "content").value();
  ASSERT_TRUE(SendDescriptor(pair.ours.get(), file.get(), "/dev/pts/0"));
  Fd received = ReceiveDescriptor(pair.theirs.get()).value();
  ASSERT_TRUE(received);
  EXPECT_NE(received.get(), file.get());
  EXPECT_TRUE(IsCloseOnExec(received));
  char text[16] = {};
  EXPECT_EQ(pread(received.get(), text, sizeof text, 0), 7);
  EXPECT_STREQ(text, "content");
}

TEST_F(SocketTest, MessageWithoutDescriptorGivesNone) {
  auto pair = MakeSocketPair().value();
  ASSERT_TRUE(Send(pair.ours.get(), "x", 1));
  EXPECT_FALSE(ReceiveDescriptor(pair.theirs.get()).value().valid());
  pair.ours.Reset();
  EXPECT_FALSE(ReceiveDescriptor(pair.theirs.get()).value().valid());
}

}  // namespace kiste::sys
