// SPDX-License-Identifier: Apache-2.0
//
// One plot as SVG: a row of dots for each target, or lines where the metric is a function of x. On
// a logarithmic scale: what is compared here differs by factors, and a dot needs no zero.
#pragma once

#include <string>
#include <vector>

#include "bench/report/figures.h"

namespace kiste::bench {

// The figures of one metric: one, or one for each x.
using MetricFigures = std::vector<const Figure*>;
// Groups figures in the order of MakeFigures().
std::vector<MetricFigures> ByMetric(const std::vector<const Figure*>& figures);

// An <svg> element. Colours are style sheet classes t0 to t7 for targets; `alone` brings the style
// sheet along, for a file of its own.
enum class Placement { kInPage, kAlone };
std::string PlotSvg(const RecordedRun& run, const MetricFigures& figures, Placement placement);

// & < > " as entities, control characters as "?".
std::string Escape(std::string_view text);

}  // namespace kiste::bench
