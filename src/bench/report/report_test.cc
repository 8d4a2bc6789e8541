// SPDX-License-Identifier: Apache-2.0
#include "bench/report/report.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "bench/report/fake_run.h"

namespace kiste::bench {
namespace {

RecordedRun Example() {
  auto run = FakeRun({"bare", "runc", "gone"}, {"life", "spatial"});
  run.targets[2].missing = "gone: not in PATH";
  run.workloads[1].axiom = "spatial";
  for (int round = 1; round <= 3; ++round) {
    AddTrial(run, 0, 0, round).Add("boot", "ns", 1'000'000 * round);
    auto& runc = AddTrial(run, 1, 0, round);
    runc.Add("boot", "ns", 3'000'000 * round);
    runc.AddAt({"bytes", 1 << 20}, "grow", "ns", 5);
    runc.AddAt({"bytes", 4096}, "grow", "ns", 4);
    runc.gaps.push_back({"exec", "no, \"really\""});
    AddTrial(run, 1, 1, round).findings.push_back({"files/x", "sees", "<script>\x1b[2J"});
  }
  return run;
}

TEST(Figures, RatiosAreTakenWithinRounds) {
  auto figures = MakeFigures(Example());
  ASSERT_EQ(figures.size(), 3u);
  EXPECT_EQ(figures[0].metric, "boot");
  EXPECT_EQ(figures[0].cells.at(0).value.median, 2'000'000);
  EXPECT_FALSE(figures[0].cells.at(0).ratio);
  EXPECT_EQ(figures[0].cells.at(1).ratio->median, 3);
  EXPECT_EQ(figures[0].cells.at(1).ratio->interval.high, 3);
  EXPECT_EQ(figures[1].at->x, 4096);
}

TEST(Figures, SayTheirQuery) {
  auto run = Example();
  run.workloads[0].name = "it's";
  auto query = QueryOf(run, MakeFigures(run)[1]);
  EXPECT_NE(query.find("'it''s'"), std::string::npos);
  EXPECT_NE(query.find("value.x = 4096"), std::string::npos);
}

TEST(Figures, OfManyMetricsTheSummariesAreSeenFirst) {
  auto run = FakeRun({"a"}, {"w"});
  auto& outcome = AddTrial(run, 0, 0, 1);
  for (int i = 0; i < 70; ++i) outcome.Add("x/" + std::to_string(i) + "/p50", "ns", 1);
  outcome.Add("x/worst", "ratio", 2);
  auto figures = MakeFigures(run);
  auto first = FirstSight(figures, 0);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0]->metric, "x/worst");
  auto few = MakeFigures(Example());
  EXPECT_EQ(FirstSight(few, 0).size(), 3u);
}

TEST(Show, UnitsAreScaled) {
  EXPECT_EQ(Show(1530000, "ns"), "1.53 ms");
  EXPECT_EQ(Show(999, "ns"), "999 ns");
  EXPECT_EQ(Show(5e12, "ns"), "5000 s");
  EXPECT_EQ(Show(118 * 1024, "B"), "118 KiB");
  EXPECT_EQ(Show(2.5e9, "B/s"), "2.33 GiB/s");
  EXPECT_EQ(Show(0, "count"), "0");
  EXPECT_EQ(Show(1.04, "ratio"), "1.04");
}

TEST(Terminal, HasEverythingAndNoControlCharacters) {
  auto text = TerminalReport(Example(), 100);
  for (const char* part : {"2.00 ms", "×3.00", "grow at 4.00 KiB", "files/x", "sees",
                           "gone: gone: not in PATH", "runc, life, exec: no, \"really\" (3 times)"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(Json, IsReadAndSaysTheSame) {
  auto document = json::Document::Parse(JsonReport(Example()), "report.json");
  ASSERT_TRUE(document) << document.error().Text();
  const auto root = document->root();
  EXPECT_EQ(root["figures"].size(), 3u);
  EXPECT_EQ(root["findings"].size(), 1u);
  EXPECT_EQ(root["missing"].size(), 2u);
}

TEST(Csv, ALineForEachSample) {
  auto text = CsvReport(Example());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1 + 3 + 9);
  EXPECT_NE(text.find("fake,runc,life,1,0,grow,ns,bytes,4096,4\r\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace kiste::bench
