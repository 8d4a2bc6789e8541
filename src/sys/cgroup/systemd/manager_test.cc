// SPDX-License-Identifier: Apache-2.0
//
// The manager against a peer that plays systemd.
#include "sys/cgroup/systemd/manager.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "sys/dbus/peer.h"

namespace kiste::sys::cgroup::systemd {

namespace {

using dbus::Message;
using dbus::TestPeer;

constexpr char kManager[] = "org.freedesktop.systemd1.Manager";
constexpr char kJob[] = "/org/freedesktop/systemd1/job/7";

Message JobReply() { return TestPeer::Return({dbus::Value{"o", std::string(kJob)}}); }
Message JobRemoved(std::string job, std::string outcome) {
  return TestPeer::Signal(kManager, "JobRemoved",
                          {dbus::Uint32(7), dbus::Value{"o", std::move(job)},
                           dbus::String("a.scope"), dbus::String(std::move(outcome))});
}
Message Text(std::string text) {
  return TestPeer::Return({dbus::Variant(dbus::String(std::move(text)))});
}

// Plays `answers` by the called method's name; the same one again when there is no other left.
class FakeSystemd {
 public:
  using Answers = std::map<std::string, std::vector<std::vector<Message>>>;
  explicit FakeSystemd(Answers answers)
      : answers_(std::move(answers)), peer_([this](const Message& call) { return Next(call); }) {}

  Manager Connect() { return Manager(peer_.Connect(dbus::Peer::kService).value()); }
  // Read when the manager is gone.
  std::vector<std::string> calls() {
    peer_.greeting();
    return calls_;
  }

 private:
  std::vector<Message> Next(const Message& call) {
    calls_.push_back(call.member);
    auto& queue = answers_[call.member];
    if (queue.empty()) return {TestPeer::Return({})};
    auto answer = queue.front();
    if (queue.size() > 1) queue.erase(queue.begin());
    return answer;
  }
  Answers answers_;
  std::vector<std::string> calls_;
  TestPeer peer_;
};

const std::vector<Message> kExists = {
    TestPeer::ErrorNamed("org.freedesktop.systemd1.UnitExists", "Unit a.scope already exists.")};

}  // namespace

TEST(Manager, StartReturnsWhenTheJobIsDone) {
  FakeSystemd systemd(
      {{"StartTransientUnit",
        {{JobRemoved("/another", "failed"), JobReply(), JobRemoved(kJob, "done")}}}});
  auto manager = systemd.Connect();
  EXPECT_TRUE(manager.Start("a.scope", {{"Delegate", dbus::Bool(true)}}));
}

TEST(Manager, TheJobMayEndBeforeTheReply) {
  FakeSystemd systemd({{"StartTransientUnit", {{JobRemoved(kJob, "done"), JobReply()}}}});
  EXPECT_TRUE(systemd.Connect().Start("a.scope", {}));
}

TEST(Manager, AJobThatFailsIsAnErrorAndTheUnitIsReset) {
  FakeSystemd systemd({{"StartTransientUnit", {{JobReply(), JobRemoved(kJob, "failed")}}}});
  {
    auto started = systemd.Connect().Start("a.scope", {});
    ASSERT_FALSE(started);
    EXPECT_NE(started.error().Text().find("failed"), std::string::npos);
    EXPECT_NE(started.error().Text().find("a.scope"), std::string::npos);
  }
  EXPECT_EQ(systemd.calls().back(), "ResetFailedUnit");
}

TEST(Manager, AFailedUnitOfTheNameIsClearedAway) {
  FakeSystemd systemd(
      {{"StartTransientUnit", {kExists, kExists, {JobReply(), JobRemoved(kJob, "done")}}},
       {"GetUnit", {{TestPeer::Return({dbus::Value{"o", std::string("/unit")}})}}},
       {"Get", {{Text("failed")}}}});
  EXPECT_TRUE(systemd.Connect().Start("a.scope", {}));
  EXPECT_EQ(systemd.calls(),
            (std::vector<std::string>{"StartTransientUnit", "GetUnit", "Get", "ResetFailedUnit",
                                      "StartTransientUnit", "GetUnit", "Get", "ResetFailedUnit",
                                      "StartTransientUnit"}));
}

TEST(Manager, AUnitOfTheNameThatWorksIsLeftAlone) {
  FakeSystemd systemd({{"StartTransientUnit", {kExists}},
                       {"GetUnit", {{TestPeer::Return({dbus::Value{"o", std::string("/unit")}})}}},
                       {"Get", {{Text("active")}}}});
  auto started = systemd.Connect().Start("a.scope", {});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::kExists);
}

TEST(Manager, StopWaitsForTheJobAndResets) {
  FakeSystemd systemd({{"StopUnit", {{JobReply(), JobRemoved(kJob, "done")}}}});
  EXPECT_TRUE(systemd.Connect().Stop("a.scope"));
  EXPECT_EQ(systemd.calls(), (std::vector<std::string>{"StopUnit", "ResetFailedUnit"}));
}

TEST(Manager, StoppingWhatIsNotThereIsNoError) {
  FakeSystemd systemd(
      {{"StopUnit", {{TestPeer::ErrorNamed("org.freedesktop.systemd1.NoSuchUnit", "gone")}}}});
  EXPECT_TRUE(systemd.Connect().Stop("a.scope"));
}

TEST(Manager, RefusalsKeepSystemdsWords) {
  FakeSystemd systemd(
      {{"SetUnitProperties",
        {{TestPeer::ErrorNamed("org.freedesktop.DBus.Error.AccessDenied", "Permission denied")}}}});
  auto set = systemd.Connect().SetProperties("a.scope", {{"MemoryMax", dbus::Uint64(1)}});
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().errno_value, EACCES);
  EXPECT_NE(set.error().Text().find("Permission denied"), std::string::npos);
}

TEST(Manager, PropertiesAreWrittenWhenTheNextAnswerComes) {
  FakeSystemd systemd({});
  EXPECT_TRUE(systemd.Connect().SetProperties("a.scope", {{"MemoryMax", dbus::Uint64(1)}}));
  EXPECT_EQ(systemd.calls(), (std::vector<std::string>{"SetUnitProperties", "Ping"}));
}

TEST(Manager, NoPropertiesAreNoCall) {
  FakeSystemd systemd({});
  EXPECT_TRUE(systemd.Connect().SetProperties("a.scope", {}));
  EXPECT_TRUE(systemd.calls().empty());
}

TEST(Manager, VersionsAreNumbersWithWordsAroundThem) {
  for (auto [text, version] :
       {std::pair("252.39-1~deb12u1", 252), {"v258-rc1", 258}, {"219", 219}}) {
    FakeSystemd systemd({{"Get", {{Text(text)}}}});
    EXPECT_EQ(systemd.Connect().Version().value(), version) << text;
  }
  FakeSystemd systemd({{"Get", {{Text("next")}}}});
  EXPECT_FALSE(systemd.Connect().Version());
}

TEST(Manager, AttachNamesTheSubPath) {
  FakeSystemd systemd({});
  EXPECT_TRUE(systemd.Connect().Attach("a.scope", "/inner", 5));
  EXPECT_EQ(systemd.calls(), std::vector<std::string>{"AttachProcessesToUnit"});
}

}  // namespace kiste::sys::cgroup::systemd
