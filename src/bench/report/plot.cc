// SPDX-License-Identifier: Apache-2.0
#include "bench/report/plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/strings.h"
#include "bench/report/report.h"

namespace kiste::bench {

namespace {

constexpr double kWidth = 400, kLeft = 122, kRight = 74, kRow = 19, kTop = 8, kFoot = 22;
constexpr double kHeight = 260;  // of lines

// Okabe and Ito (2008): told apart by everybody; the eighth is black, or white in the dark.
constexpr char kStyle[] =
    "<style>svg{font:11px system-ui,sans-serif;fill:#222;background:#fff}.g{stroke:#ddd}"
    ".a{fill:#666}.t0{color:#0072B2}.t1{color:#D55E00}.t2{color:#009E73}.t3{color:#CC79A7}"
    ".t4{color:#E69F00}.t5{color:#56B4E9}.t6{color:#8B7D00}.t7{color:#222}"
    ".d{fill:currentColor}.r{fill:currentColor;opacity:.3}.w{stroke:currentColor;stroke-width:2}"
    ".l{stroke:currentColor;stroke-width:2;fill:none}</style>";

std::string Px(double number) {
  char text[32];
  snprintf(text, sizeof text, "%.1f", number);
  return text;
}

// A logarithmic axis over all values above 0.
class Axis {
 public:
  Axis(double from, double to) : from_(from), to_(to) {}
  void Take(double value) {
    if (!(value > 0)) return;
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
  void Settle() {
    if (!(low_ <= high_)) low_ = high_ = 1;
    low_ = std::log10(low_) - 0.06;
    high_ = std::log10(high_) + 0.06;
    if (high_ - low_ < 0.3) {
      double middle = (low_ + high_) / 2;
      low_ = middle - 0.15;
      high_ = middle + 0.15;
    }
  }
  double operator()(double value) const {
    double share = value > 0 ? (std::log10(value) - low_) / (high_ - low_) : 0;
    return from_ + std::clamp(share, 0.0, 1.0) * (to_ - from_);
  }
  // 1, 2, 5 of each decade, or powers of two for bytes; as many as there is room for.
  std::vector<double> Ticks(size_t most, std::string_view unit) const {
    if (unit.starts_with('B')) return PowersOfTwo(most);
    std::vector<double> ticks;
    for (const auto& steps : {std::vector<double>{1, 2, 5}, {1, 3}, {1}}) {
      ticks.clear();
      for (int decade = static_cast<int>(std::floor(low_)); decade <= high_; ++decade) {
        for (double step : steps) {
          double tick = step * std::pow(10, decade);
          if (std::log10(tick) >= low_ && std::log10(tick) <= high_) ticks.push_back(tick);
        }
      }
      if (ticks.size() <= most) return ticks;
    }
    size_t stride = ticks.size() / most + 1;
    std::vector<double> fewer;
    for (size_t at = 0; at < ticks.size(); at += stride) fewer.push_back(ticks[at]);
    return fewer;
  }

 private:
  std::vector<double> PowersOfTwo(size_t most) const {
    const double bits = std::log2(10.0);
    auto first = static_cast<int>(std::ceil(low_ * bits));
    auto last = static_cast<int>(std::floor(high_ * bits));
    std::vector<double> ticks;
    int stride = 1;
    while (last - first >= stride * static_cast<int>(most)) stride *= 2;
    for (int power = first; power <= last; ++power) {
      if (power % stride == 0) ticks.push_back(std::exp2(power));
    }
    return ticks;
  }

  double from_, to_;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -low_;
};

std::string ClassOf(size_t target) { return StrCat("t", target % 8); }

std::string Begin(double height, std::string_view title, Placement placement) {
  return StrCat("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 ", Px(kWidth),
                " ", Px(height), "\"><title>", Escape(title), "</title>",
                placement == Placement::kAlone ? kStyle : "");
}

std::string Line(double x1, double y1, double x2, double y2, std::string_view style) {
  return StrCat("<line class=\"", style, "\" x1=\"", Px(x1), "\" y1=\"", Px(y1), "\" x2=\"", Px(x2),
                "\" y2=\"", Px(y2), "\"/>");
}

std::string Dot(double x, double y, double radius, std::string_view style,
                std::string_view title = {}) {
  auto dot = StrCat("<circle class=\"", style, "\" cx=\"", Px(x), "\" cy=\"", Px(y), "\" r=\"",
                    Px(radius), "\"");
  return title.empty() ? dot + "/>" : StrCat(dot, "><title>", Escape(title), "</title></circle>");
}

// "5 ms" where a value would be "5.00 ms".
std::string Tick(double number, std::string_view unit) {
  auto text = Show(number, unit);
  for (std::string_view zeros : {".00", ".0"}) {
    if (size_t at = text.find(zeros); at != std::string::npos) return text.erase(at, zeros.size());
  }
  return text;
}

std::string Text(double x, double y, std::string_view anchor, std::string_view style,
                 std::string_view text) {
  return StrCat("<text class=\"", style, "\" x=\"", Px(x), "\" y=\"", Px(y), "\" text-anchor=\"",
                anchor, "\">", Escape(text), "</text>");
}

std::string Shortened(const std::string& name) {
  constexpr size_t kMost = 20;
  return Width(name) <= kMost || name.size() <= kMost ? name : name.substr(0, kMost - 1) + "…";
}

std::string About(const RecordedRun& run, size_t target, const Cell& cell,
                  const std::string& unit) {
  auto text = StrCat(run.targets[target].name, ": ", Show(cell.value.median, unit), ", ",
                     cell.rounds.size() < kFewestForInterval ? "range " : "99 % ",
                     Show(cell.value.interval.low, unit), " to ",
                     Show(cell.value.interval.high, unit), ", ", cell.rounds.size(), " rounds");
  if (!cell.ratio) return text;
  return StrCat(text, ", ", Show(cell.ratio->median, "ratio"), " times ",
                run.targets[Baseline(run)].name);
}

std::string RowsPlot(const RecordedRun& run, const Figure& figure, Placement placement) {
  Axis axis(kLeft, kWidth - kRight);
  for (const auto& [target, cell] : figure.cells) {
    for (const auto& [round, value] : cell.rounds) axis.Take(value);
    axis.Take(cell.value.interval.low);
    axis.Take(cell.value.interval.high);
  }
  axis.Settle();
  double bottom = kTop + kRow * static_cast<double>(figure.cells.size());
  auto svg = Begin(bottom + kFoot, figure.metric, placement);
  for (double tick : axis.Ticks(4, figure.unit)) {
    svg += Line(axis(tick), kTop, axis(tick), bottom, "g");
    svg += Text(axis(tick), bottom + 14, "middle", "a", Tick(tick, figure.unit));
  }
  double y = kTop + kRow / 2;
  for (const auto& [target, cell] : figure.cells) {
    svg += StrCat("<g class=\"", ClassOf(target), "\">");
    svg += Text(kLeft - 8, y + 4, "end", "n", Shortened(run.targets[target].name));
    for (const auto& [round, value] : cell.rounds) svg += Dot(axis(value), y, 2.5, "r");
    svg += Line(axis(cell.value.interval.low), y, axis(cell.value.interval.high), y, "w");
    svg += Dot(axis(cell.value.median), y, 4, "d", About(run, target, cell, figure.unit));
    svg += Text(kWidth - kRight + 8, y + 4, "start", "n", Show(cell.value.median, figure.unit));
    svg += "</g>";
    y += kRow;
  }
  return svg + "</svg>";
}

struct Curve {
  size_t target;
  std::vector<std::pair<double, const Cell*>> points;
};

std::vector<Curve> CurvesOf(const MetricFigures& figures, size_t targets) {
  std::vector<Curve> curves;
  for (size_t target = 0; target < targets; ++target) {
    Curve curve{target, {}};
    for (const auto* figure : figures) {
      auto at = figure->cells.find(target);
      if (at != figure->cells.end()) curve.points.emplace_back(figure->at->x, &at->second);
    }
    if (!curve.points.empty()) curves.push_back(std::move(curve));
  }
  return curves;
}

// 0 has no place on a logarithmic axis: it is put a step below the least.
double Placed(double x, double least) { return x > 0 ? x : least / 4; }

std::string CurvesPlot(const RecordedRun& run, const MetricFigures& figures, Placement placement) {
  const auto& first = *figures.front();
  double least = std::numeric_limits<double>::infinity();
  for (const auto* figure : figures) {
    if (figure->at->x > 0) least = std::min(least, figure->at->x);
  }
  if (!std::isfinite(least)) least = 1;
  auto curves = CurvesOf(figures, run.targets.size());
  size_t rows = (curves.size() + 2) / 3;
  double key = kRow * static_cast<double>(rows);
  Axis x(64, kWidth - 16), y(kHeight, kTop);
  for (const auto* figure : figures) {
    x.Take(Placed(figure->at->x, least));
    for (const auto& [target, cell] : figure->cells) y.Take(cell.value.median);
  }
  x.Settle();
  y.Settle();
  auto svg = Begin(kHeight + kFoot + 14 + key, first.metric, placement);
  std::string x_unit = first.at->name == "bytes" ? "B" : "count";
  for (double tick : y.Ticks(6, first.unit)) {
    svg += Line(64, y(tick), kWidth - 16, y(tick), "g");
    svg += Text(58, y(tick) + 4, "end", "a", Tick(tick, first.unit));
  }
  for (double tick : x.Ticks(5, x_unit)) {
    svg += Line(x(tick), kTop, x(tick), kHeight, "g");
    svg += Text(x(tick), kHeight + 14, "middle", "a", Tick(tick, x_unit));
  }
  svg += Text(kWidth / 2, kHeight + 28, "middle", "a", first.at->name);
  size_t number = 0;
  for (const auto& curve : curves) {
    std::string path;
    svg += StrCat("<g class=\"", ClassOf(curve.target), "\">");
    for (const auto& [at, cell] : curve.points) {
      double px = x(Placed(at, least)), py = y(cell->value.median);
      path += StrCat(path.empty() ? "M" : "L", Px(px), " ", Px(py));
      if (curve.points.size() <= 20)
        svg += Dot(px, py, 3, "d", About(run, curve.target, *cell, first.unit));
    }
    svg += StrCat("<path class=\"l\"", curve.target >= 8 ? " stroke-dasharray=\"5 3\"" : "",
                  " d=\"", path, "\"/>");
    size_t row = number / 3, column = number % 3;
    double key_x = 16 + 130 * static_cast<double>(column);
    double key_y = kHeight + kFoot + 22 + kRow * static_cast<double>(row);
    svg += Dot(key_x, key_y - 4, 4, "d");
    svg += Text(key_x + 9, key_y, "start", "n", Shortened(run.targets[curve.target].name)) + "</g>";
    ++number;
  }
  return svg + "</svg>";
}

}  // namespace

std::vector<MetricFigures> ByMetric(const std::vector<const Figure*>& figures) {
  std::vector<MetricFigures> groups;
  for (const auto* figure : figures) {
    bool same = !groups.empty() && groups.back().front()->workload == figure->workload &&
                groups.back().front()->metric == figure->metric;
    if (same) {
      groups.back().push_back(figure);
    } else {
      groups.push_back({figure});
    }
  }
  return groups;
}

std::string PlotSvg(const RecordedRun& run, const MetricFigures& figures, Placement placement) {
  if (figures.front()->at) return CurvesPlot(run, figures, placement);
  return RowsPlot(run, *figures.front(), placement);
}

std::vector<Plot> SvgPlots(const RecordedRun& run) {
  std::vector<Plot> plots;
  auto figures = MakeFigures(run);
  std::vector<const Figure*> all;
  for (const auto& figure : figures) all.push_back(&figure);
  for (const auto& group : ByMetric(all)) {
    auto name = StrCat(run.workloads[group.front()->workload].name, "-", group.front()->metric);
    for (char& c : name) {
      bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!plain && c != '_' && c != '.') c = '-';
    }
    plots.push_back({name, PlotSvg(run, group, Placement::kAlone) + "\n"});
  }
  return plots;
}

std::string Escape(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += static_cast<unsigned char>(c) < 0x20 && c != '\n' ? '?' : c;
    }
  }
  return escaped;
}

}  // namespace kiste::bench
