// SPDX-License-Identifier: Apache-2.0
#include "runtime/state_text.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.h"
#include "isolation/plan.h"

namespace kiste::runtime {

namespace {

oci::State State() {
  oci::State state;
  state.id = "c1";
  state.status = "creating";
  state.bundle = "/b\"x";
  state.annotations = {{"a", "\"pid\":2147483647"}};  // looks like the placeholder, and is not
  return state;
}

// With a pid in place of every mark, parsed.
json::Document WithPid(std::string text) {
  for (size_t at; (at = text.find(isolation::kPidMark)) != std::string::npos;)
    text.replace(at, 1, "4711");
  auto parsed = json::Document::Parse(text, "state");
  EXPECT_TRUE(parsed) << text;
  return std::move(parsed).value();
}

}  // namespace

TEST(StateTemplate, HasOneMarkWhereThePidBelongs) {
  std::string text = StateTemplate(State());
  EXPECT_EQ(std::count(text.begin(), text.end(), isolation::kPidMark), 1);
  auto document = WithPid(text);
  EXPECT_EQ(document.root()["pid"].Int32().value(), 4711);
  EXPECT_EQ(document.root()["id"].String().value(), "c1");
  EXPECT_EQ(document.root()["bundle"].String().value(), "/b\"x");
  EXPECT_EQ(document.root()["annotations"]["a"].String().value(), "\"pid\":2147483647");
}

TEST(StateTemplate, MarksOfOthersCannotGetIn) {
  oci::State state = State();
  state.annotations["evil"] = std::string("x") + isolation::kPidMark;
  std::string text = StateTemplate(state);
  EXPECT_EQ(std::count(text.begin(), text.end(), isolation::kPidMark), 1);
}

TEST(SeccompState, OnlyForAnAgent) {
  oci::Linux linux_part;
  EXPECT_EQ(SeccompStateTemplate(State(), linux_part), "");
  linux_part.seccomp.emplace();
  EXPECT_EQ(SeccompStateTemplate(State(), linux_part), "");
}

TEST(SeccompState, IsTheContainerProcessState) {
  oci::Linux linux_part;
  linux_part.seccomp.emplace();
  linux_part.seccomp->listener_path = "/agent";
  linux_part.seccomp->listener_metadata = "meta \"data\"";
  auto document = WithPid(SeccompStateTemplate(State(), linux_part));
  auto root = document.root();
  EXPECT_EQ(root["ociVersion"].String().value(), oci::kVersion);
  EXPECT_EQ(root["fds"].Strings().value(), std::vector<std::string>{"seccompFd"});
  EXPECT_EQ(root["pid"].Int32().value(), 4711);
  EXPECT_EQ(root["metadata"].String().value(), "meta \"data\"");
  EXPECT_EQ(root["state"]["pid"].Int32().value(), 4711);
  EXPECT_EQ(root["state"]["id"].String().value(), "c1");
}

}  // namespace kiste::runtime
