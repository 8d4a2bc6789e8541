// SPDX-License-Identifier: Apache-2.0
#include "sys/dbus/connection.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/strings.h"
#include "sys/dbus/peer.h"
#include "sys/file.h"

namespace kiste::sys::dbus {

namespace {

using Claim = Connection::Claim;

const Method kPing = {"org.example", "/test", "org.example.Test", "Ping", {Uint32(1)}};

TestPeer::Answer Always(Message message) {
  return [message](const Message&) { return std::vector<Message>{message}; };
}

Deadline In(int milliseconds) { return Clock::now() + std::chrono::milliseconds(milliseconds); }

}  // namespace

TEST(Connection, ClaimsTheUidInHexadecimal) {
  TestPeer peer(Always(TestPeer::Return({})));
  {
    ASSERT_TRUE(peer.Connect(Peer::kService));
  }
  std::string hex;
  for (char digit : StrCat(geteuid())) hex += StrCat("3", digit);
  EXPECT_EQ(peer.greeting(), StrCat("AUTH EXTERNAL ", hex, "\nBEGIN\n"));
}

TEST(Connection, CanLeaveTheUidToTheSocket) {
  TestPeer peer(Always(TestPeer::Return({})), "DATA\r\nOK 0123\r\n");
  {
    ASSERT_TRUE(peer.Connect(Peer::kService, Claim::kNone));
  }
  EXPECT_EQ(peer.greeting(), "AUTH EXTERNAL\nDATA\nBEGIN\n");
}

TEST(Connection, ARejectionIsAnErrorWithEacces) {
  TestPeer peer(Always(TestPeer::Return({})), "REJECTED EXTERNAL\r\n");
  auto connection = peer.Connect(Peer::kService);
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().errno_value, EACCES);
}

TEST(Connection, GreetsABusAndNotAService) {
  std::vector<std::string> members;
  auto answer = [&](const Message& call) {
    members.push_back(StrCat(call.destination, " ", call.member));
    return std::vector<Message>{TestPeer::Return({String(":1.7")})};
  };
  {
    TestPeer bus(answer);
    auto connection = bus.Connect(Peer::kBus);
    ASSERT_TRUE(connection && connection->Call(kPing, TestPeer::Soon()));
    connection = Invalid("closed");
  }
  EXPECT_EQ(members, (std::vector<std::string>{"org.freedesktop.DBus Hello", "org.example Ping"}));
  members.clear();
  {
    TestPeer service(answer);
    auto connection = service.Connect(Peer::kService);
    ASSERT_TRUE(connection && connection->Call(kPing, TestPeer::Soon()));
    connection = Invalid("closed");
  }
  EXPECT_EQ(members, std::vector<std::string>{" Ping"});
}

TEST(Connection, AReplyComesBackWithItsValues) {
  TestPeer peer([](const Message& call) {
    return std::vector<Message>{TestPeer::Return(call.Body().value())};
  });
  auto connection = peer.Connect(Peer::kService).value();
  EXPECT_EQ(connection.Call(kPing, TestPeer::Soon()).value().values, kPing.arguments);
}

TEST(Connection, AnErrorComesBackWithItsNameAndText) {
  TestPeer peer(Always(TestPeer::ErrorNamed("org.example.No", "not today")));
  auto connection = peer.Connect(Peer::kService).value();
  auto reply = connection.Call(kPing, TestPeer::Soon()).value();
  EXPECT_EQ(reply.error_name, "org.example.No");
  EXPECT_EQ(reply.error_text, "not today");
}

TEST(Connection, ASignalBeforeTheReplyIsKeptAndOthersAreNot) {
  TestPeer peer([](const Message&) {
    return std::vector<Message>{
        TestPeer::Signal("org.example.Test", "Other", {Uint32(1)}),
        TestPeer::Signal("org.example.Test", "Done", {Uint32(2)}),
        TestPeer::Return({}),
        TestPeer::Signal("org.example.Test", "Done", {Uint32(3)}),
    };
  });
  auto connection = peer.Connect(Peer::kService).value();
  ASSERT_TRUE(connection.ExpectSignal("org.example.Test", "Done", TestPeer::Soon()));
  ASSERT_TRUE(connection.Call(kPing, TestPeer::Soon()));
  auto next = [&](uint32_t number) {
    return connection.WaitSignal(
        [&](const Message& signal) { return signal.Body().value()[0] == Uint32(number); },
        TestPeer::Soon());
  };
  EXPECT_TRUE(next(2));
  EXPECT_TRUE(next(3));
}

TEST(Connection, RepliesToOtherCallsArePassedOver) {
  Message late = TestPeer::Return({String("late")});
  late.reply_serial = 77;
  TestPeer peer([&](const Message&) {
    return std::vector<Message>{late, TestPeer::Return({String("right")})};
  });
  auto connection = peer.Connect(Peer::kService).value();
  EXPECT_EQ(connection.Call(kPing, TestPeer::Soon()).value().values[0], String("right"));
}

TEST(Connection, SilenceEndsAtTheDeadline) {
  TestPeer peer([](const Message&) { return std::vector<Message>(); });
  auto connection = peer.Connect(Peer::kService).value();
  auto reply = connection.Call(kPing, In(50));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kTimeout);
}

TEST(Connection, TheEndOfThePeerIsAnError) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  close(ends[1]);
  auto connection =
      Connection::Start({Fd(ends[0]), "nobody"}, Peer::kService, Claim::kUid, In(1000));
  EXPECT_FALSE(connection);
}

TEST(Connection, NobodyAtTheAddressIsAnErrorThatNamesIt) {
  auto connection = Connection::Open({{"/nowhere/bus", false}}, Peer::kBus, In(1000));
  ASSERT_FALSE(connection);
  EXPECT_NE(connection.error().Text().find("/nowhere/bus"), std::string::npos);
}

// A real bus, where there is one to start.
class DbusDaemon : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access("/usr/bin/dbus-daemon", X_OK) != 0) GTEST_SKIP() << "there is no dbus-daemon here";
    directory_ = std::filesystem::temp_directory_path() / "kiste-dbus-XXXXXX";
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
  }
  void TearDown() override {
    if (pid_ > 0) {
      kill(pid_, SIGTERM);
      waitpid(pid_, nullptr, 0);
    }
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }
  void Start(const std::string& address) {
    std::string config = directory_ + "/config";
    Fd file = Open(config, O_WRONLY | O_CREAT, 0644).value();
    ASSERT_TRUE(
        WriteAll(file.get(),
                 StrCat("<busconfig><type>session</type><listen>", address,
                        "</listen><auth>EXTERNAL</auth><policy context='default'>"
                        "<allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/>"
                        "<allow own='*'/></policy></busconfig>"),
                 config));
    pid_ = fork();
    if (pid_ == 0) {
      std::string option = "--config-file=" + config;
      execl("/usr/bin/dbus-daemon", "dbus-daemon", option.c_str(), "--nofork", "--nopidfile",
            nullptr);
      _exit(127);
    }
  }
  // It needs a moment to listen.
  static Result<Connection> Connect(const UnixAddress& address) {
    Result<Connection> connection = Invalid("not tried");
    for (Deadline end = In(10'000); Clock::now() < end;) {
      connection = Connection::Open({address}, Peer::kBus, end);
      if (connection) break;
      usleep(10'000);
    }
    return connection;
  }
  static void ExpectItAnswers(Connection& connection) {
    Method list{
        "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ListNames", {}};
    auto reply = connection.Call(list, In(5000));
    ASSERT_TRUE(reply) << reply.error().Text();
    ASSERT_EQ(reply->error_name, "");
    EXPECT_EQ(reply->values[0].signature, "as");
    list.member = "NoSuchMethod";
    EXPECT_EQ(connection.Call(list, In(5000)).value().error_name,
              "org.freedesktop.DBus.Error.UnknownMethod");
  }

  std::string directory_;
  pid_t pid_ = -1;
};

TEST_F(DbusDaemon, AnswersAtAPath) {
  Start(StrCat("unix:path=", directory_, "/bus"));
  auto connection = Connect({directory_ + "/bus", false});
  ASSERT_TRUE(connection) << connection.error().Text();
  ExpectItAnswers(*connection);
}

TEST_F(DbusDaemon, AnswersAtAnAbstractName) {
  Start(StrCat("unix:abstract=", directory_));
  auto connection = Connect({directory_, true});
  ASSERT_TRUE(connection) << connection.error().Text();
  ExpectItAnswers(*connection);
}

TEST_F(DbusDaemon, AcceptsWhoClaimsNoUid) {
  Start(StrCat("unix:path=", directory_, "/bus"));
  ASSERT_TRUE(Connect({directory_ + "/bus", false}));
  auto stream = Stream::Connect({directory_ + "/bus", false}, In(5000));
  ASSERT_TRUE(stream);
  auto connection = Connection::Start(std::move(*stream), Peer::kBus, Claim::kNone, In(5000));
  ASSERT_TRUE(connection) << connection.error().Text();
  ExpectItAnswers(*connection);
}

TEST_F(DbusDaemon, SendsTheSignalsThatAreExpected) {
  Start(StrCat("unix:path=", directory_, "/bus"));
  auto connection = Connect({directory_ + "/bus", false});
  ASSERT_TRUE(connection);
  ASSERT_TRUE(connection->ExpectSignal("org.freedesktop.DBus", "NameOwnerChanged", In(5000)));
  Method request{"org.freedesktop.DBus",
                 "/org/freedesktop/DBus",
                 "org.freedesktop.DBus",
                 "RequestName",
                 {String("org.example.Test"), Uint32(0)}};
  ASSERT_TRUE(connection->Call(request, In(5000)));
  auto signal = connection->WaitSignal(
      [](const Message& message) {
        return message.Body().value()[0] == String("org.example.Test");
      },
      In(5000));
  EXPECT_TRUE(signal);
}

}  // namespace kiste::sys::dbus
