// SPDX-License-Identifier: Apache-2.0
//
// A run for its readers: a table for a terminal, a page, plots, and data for other programs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bench/report/figures.h"

namespace kiste::bench {

// Plain text. `width` is the terminal's in columns.
std::string TerminalReport(const RecordedRun& run, size_t width);

// One page that needs nothing else and asks nobody for anything: readable without scripts; with
// them, charts that answer questions.
std::string HtmlReport(const RecordedRun& run);

// A plot for each group of metrics, by name: "lifecycle-boot" and its text. `ratio` to the baseline
// or absolute.
struct Plot {
  std::string name, svg;
};
std::vector<Plot> SvgPlots(const RecordedRun& run);

// Everything, raw and summarised.
std::string JsonReport(const RecordedRun& run);
// The same of some figures only, without white space.
std::string JsonOf(const RecordedRun& run, const std::vector<const Figure*>& figures);
// A line for each sample.
std::string CsvReport(const RecordedRun& run);

// The width of UTF-8 text in columns, as far as what is written here goes.
size_t Width(std::string_view text);

}  // namespace kiste::bench
