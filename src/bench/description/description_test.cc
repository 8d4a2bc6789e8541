// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "bench/description/placeholders.h"
#include "bench/description/target.h"
#include "bench/description/workload.h"

namespace kiste::bench {
namespace {

constexpr char kBubblewrap[] = R"(
title = "bubblewrap"
isolation = "namespaces"
program = "bwrap"
version = ["{program}", "--version"]
data = ["--bind", "{source}", "/data"]
parts.helper = ["{helper}", "--version"]

[do]
run = ["{program}", "--bind", "{rootfs}", "/", "{network}", "{data}", "{command}"]

[network]
none = ["--unshare-net"]
enter = true
)";

TEST(Target, AFileIsRead) {
  auto target = ParseTarget(kBubblewrap, "bubblewrap", "bubblewrap.toml");
  ASSERT_TRUE(target) << target.error().Text();
  EXPECT_EQ(target->name, "bubblewrap");
  EXPECT_EQ(target->commands.at(Verb::kRun).back(), "{command}");
  EXPECT_EQ(target->parts.at("helper"), (Words{"{helper}", "--version"}));
  EXPECT_FALSE(target->bundle);
  EXPECT_TRUE(target->link);
  EXPECT_TRUE(target->can_data);
  EXPECT_EQ(target->cgroup, CgroupMaker::kBench);
}

TEST(Target, AnOciRuntimeNeedsNoCommands) {
  auto target = ParseTarget(
      "title = 'x'\nisolation = 'namespaces'\nprogram = 'runc'\noci = true\noptions = ['--debug']",
      "x", "x.toml");
  ASSERT_TRUE(target) << target.error().Text();
  EXPECT_EQ(target->commands.at(Verb::kRun), (Words{"{program}", "--root", "{state}", "--debug",
                                                    "run", "--bundle", "{bundle}", "{id}"}));
  EXPECT_TRUE(target->bundle);
}

struct Wrong {
  std::string_view text;
  const char* words;
};

class WrongTarget : public testing::TestWithParam<Wrong> {};

TEST_P(WrongTarget, IsNamed) {
  auto target = ParseTarget(GetParam().text, "x", "x.toml");
  ASSERT_FALSE(target);
  EXPECT_NE(target.error().Text().find(GetParam().words), std::string::npos)
      << target.error().Text();
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongTarget,
    testing::Values(
        Wrong{"title = ", "x.toml: line 1"},
        Wrong{"\ntitle = '\xcd\x92'", "x.toml: line 2: expected printable ASCII"},
        Wrong{"title = 'x'\n[\nr[mead]]", "x.toml: line 2"},
        Wrong{std::string_view("[\0\0t", 4), "x.toml: line 1"}, Wrong{"titel = 'x'", "titel"},
        Wrong{"title = 'x'\nisolation = 'glass'\nprogram = 'x'",
              "isolation: expected none, namespaces, user-kernel or virtual-machine"},
        Wrong{"title = 'x'\nisolation = 'none'\nprogram = 'x'", "expected a command `run`"},
        Wrong{"title = 'x'\nisolation = 'none'\nprogram = 'x'\nparts.y = []", "parts.y: expected"},
        Wrong{"title = 'x'\nisolation = 'none'\nprogram = 'x'\ncgroup = 'above'",
              "cgroup: expected bench, bundle, target or within"},
        Wrong{"title = 'x'\nisolation = 'none'\nprogram = 'x'\ndo.run = []", "do.run: expected"},
        Wrong{"title = 'x'\nisolation = 'none'\nprogram = 'x'\ndo.rum = ['x']", "do.rum"},
        Wrong{"title = 'x'\nisolation = 'none'\nprogram = 'x'\ndo.run = ['x']\noptions = ['y']",
              "oci = true"}));

TEST(Workload, AFileIsRead) {
  auto workload = ParseWorkload(R"(
title = "x"
axiom = "performance"
method = "density"
most-rounds = 2
pin = true
command = ["{load}", "sleep"]
[limits]
memory = 1048576
cpus = 0.5
[settings]
instances = 100
neighbours = ["cpu", "memory"]
sizes = [1, 2.5]
)",
                                "x", "x.toml");
  ASSERT_TRUE(workload) << workload.error().Text();
  EXPECT_EQ(workload->limits.memory, 1048576u);
  EXPECT_EQ(workload->limits.cpus, 0.5);
  EXPECT_EQ(workload->most_rounds, 2);
  EXPECT_TRUE(workload->pin);
  EXPECT_EQ(workload->Number("instances", 1), 100);
  EXPECT_EQ(workload->Number("absent", 7), 7);
  EXPECT_EQ(workload->Texts("neighbours", {}), (Words{"cpu", "memory"}));
  EXPECT_EQ(workload->Numbers("sizes", {}), (std::vector<double>{1, 2.5}));
}

TEST(Workload, AnUnknownAxiomIsRefused) {
  auto workload = ParseWorkload("title='x'\nmethod='command'\naxiom='speed'", "x", "x.toml");
  ASSERT_FALSE(workload);
  EXPECT_NE(workload.error().Text().find("axiom: expected performance"), std::string::npos);
}

TEST(Placeholders, OneTextOrManyWords) {
  Placeholders values = {{"id", {"a"}}, {"command", {"x", "y"}}, {"none", {}}};
  EXPECT_EQ(FillIn({"run", "id={id}", "{none}", "{command}"}, values).value(),
            (Words{"run", "id=a", "x", "y"}));
  EXPECT_EQ(FillIn({"{{.Id}}", "{ id}", "{"}, values).value(), (Words{"{{.Id}}", "{ id}", "{"}));
  EXPECT_EQ(FillIn({"{shim-v2} [a-z]{2}"}, {{"shim-v2", {"/shim"}}}).value(),
            Words{"/shim [a-z]{2}"});
}

TEST(Placeholders, AnUnknownNameIsRefused) {
  auto filled = FillIn({"{idd}"}, {{"id", {"a"}}});
  ASSERT_FALSE(filled);
  EXPECT_NE(filled.error().Text().find("{idd}"), std::string::npos);
  EXPECT_FALSE(FillIn({"x{many}"}, {{"many", {"a", "b"}}}));
}

}  // namespace
}  // namespace kiste::bench
