// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <gtest/gtest.h>

#include "cli/program.h"

namespace kiste::cli {

namespace {

using Kind = Completion::Kind;

}  // namespace

TEST(Completion, ArgumentsAreToldByTheirNames) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(ArgumentNames(""), Names{});
  EXPECT_EQ(ArgumentNames("<container-id> [signal]"), (Names{"container-id", "signal"}));
  EXPECT_EQ(ArgumentNames("<container-id> [ps options]"), (Names{"container-id", "ps options"}));
  EXPECT_EQ(ArgumentNames("add|remove <container-id> <file>"),
            (Names{"add|remove", "container-id", "file"}));
  EXPECT_EQ(ArgumentNames("<cut"), Names{"cut"});
}

TEST(Completion, ValuesAreToldByTheirNames) {
  EXPECT_EQ(CompletionOf("FILE").kind, Kind::kFile);
  EXPECT_EQ(CompletionOf("DIR").kind, Kind::kDirectory);
  EXPECT_EQ(CompletionOf("container-id").kind, Kind::kContainer);
  EXPECT_EQ(CompletionOf("table|json").words, (std::vector<std::string>{"table", "json"}));
  EXPECT_EQ(CompletionOf("signal").words.front(), "HUP");
  EXPECT_EQ(CompletionOf("CAP_NAME").words.front(), "CAP_CHOWN");
  EXPECT_EQ(CompletionOf("SECONDS").kind, Kind::kNothing);
}

TEST(Completion, EveryScriptKnowsEveryCommandAndOption) {
  CompletionTables tables{"kiste-oci", GlobalOptions(), Commands()};
  for (const auto& script :
       {BashCompletion(tables), ZshCompletion(tables), FishCompletion(tables)}) {
    auto has = [&](const std::string& word) { return script.find(word) != std::string::npos; };
    for (const auto& option : tables.global) EXPECT_TRUE(has(option.name)) << option.name;
    for (const auto& command : tables.commands) {
      EXPECT_TRUE(has(command.name)) << command.name;
      for (const auto& option : command.options) EXPECT_TRUE(has(option.name)) << option.name;
    }
  }
}

}  // namespace kiste::cli
