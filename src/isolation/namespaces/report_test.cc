// SPDX-License-Identifier: Apache-2.0
#include "isolation/namespaces/report.h"

#include <gtest/gtest.h>

#include <cstring>

namespace kiste::isolation {

using launcher::Report;
using launcher::ReportKind;

namespace {

Report Failure(const char* detail) {
  Report report{};
  report.kind = ReportKind::kFailed;
  report.error = ENOENT;
  std::strncpy(report.detail, detail, sizeof report.detail);
  return report;
}

}  // namespace

TEST(Report, MustBeWhole) {
  Report report = Failure("x");
  EXPECT_TRUE(CheckReport(report, sizeof report));
  EXPECT_FALSE(CheckReport(report, sizeof report - 1));
  report.kind = static_cast<ReportKind>(77);
  EXPECT_FALSE(CheckReport(report, sizeof report));
}

TEST(Report, AnErrnoIsOne) {
  Report report = Failure("x");
  report.error = -1;
  EXPECT_FALSE(CheckReport(report, sizeof report));
  report.error = 5000;
  EXPECT_FALSE(CheckReport(report, sizeof report));
}

TEST(Report, ItsTextEndsAndIsOneLine) {
  Report report = Failure("");
  std::memset(report.detail, '\n', sizeof report.detail);
  ASSERT_TRUE(CheckReport(report, sizeof report));
  EXPECT_EQ(std::strlen(report.detail), sizeof report.detail - 1);
  EXPECT_EQ(ReportedError(report, "step").Text().find('\n'), std::string::npos);
}

TEST(Report, OfAnOperationThatNeverWasHasWordsToo) {
  Report report = Failure("object");
  report.index = 4'000'000'000;
  EXPECT_TRUE(ReportedError(report, std::vector<std::string>{"mount"})
                  .Text()
                  .starts_with("an unknown operation"));
  report.index = 0;
  EXPECT_TRUE(ReportedError(report, std::vector<std::string>{"mount"}).Text().starts_with("mount"));
}

}  // namespace kiste::isolation
