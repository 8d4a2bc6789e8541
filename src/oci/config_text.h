// SPDX-License-Identifier: Apache-2.0
//
// Texts of config.json for the tests of this folder: the smallest valid one with members added,
// and the table-driven check that a text is refused with exactly this line.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/strings.h"
#include "oci/parse.h"

namespace kiste::oci {

// What stands between the braces of each object, without what the smallest one needs.
struct Members {
  std::string top, process, linux_part;
};

inline std::string ConfigText(const Members& members) {
  auto more = [](const std::string& text) { return text.empty() ? text : StrCat(", ", text); };
  return StrCat(R"({"ociVersion": "1.3.0", "root": {"path": "rootfs"})", more(members.top),
                R"(, "process": {"args": ["sh"], "cwd": "/")", more(members.process),
                R"(}, "linux": {)", members.linux_part, "}}");
}

inline std::string WithTop(const std::string& members) {
  return ConfigText({.top = members, .process = {}, .linux_part = {}});
}
inline std::string WithProcess(const std::string& members) {
  return ConfigText({.top = {}, .process = members, .linux_part = {}});
}
inline std::string WithLinux(const std::string& members) {
  return ConfigText({.top = {}, .process = {}, .linux_part = members});
}
inline std::string WithResources(const std::string& members) {
  return WithLinux(StrCat(R"("resources": {)", members, "}"));
}
inline std::string WithMount(const std::string& members) {
  return WithTop(StrCat(R"("mounts": [{)", members, "}]"));
}

// The configuration of `text`, which must be valid.
inline Config MustParse(const std::string& text) {
  auto config = ParseConfig(text, "config.json");
  EXPECT_TRUE(config.has_value()) << text << "\n" << config.error().Text();
  return config ? *std::move(config) : Config{};
}

struct Refusal {
  std::string text;   // of the whole file
  std::string error;  // after "config.json: "
};

inline void ExpectRefusals(const std::vector<Refusal>& refusals) {
  for (const auto& [text, error] : refusals) {
    auto config = ParseConfig(text, "config.json");
    ASSERT_FALSE(config.has_value()) << text;
    EXPECT_EQ(config.error().Text(), "config.json: " + error) << text;
    EXPECT_EQ(config.error().kind, ErrorKind::kInvalid) << text;
  }
}

// A file of the fuzzer's seeds. Tests run in the project's folder.
inline std::string Seed(const std::string& name) {
  std::ifstream file("tests/fuzz/corpus/config/" + name);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace kiste::oci
