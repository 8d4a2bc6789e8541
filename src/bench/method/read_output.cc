// SPDX-License-Identifier: Apache-2.0
#include "bench/method/read_output.h"

#include <regex.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "base/strings.h"

namespace kiste::bench {

namespace {

constexpr std::string_view kUnits[] = {"ns", "B/s", "1/s", "B", "count", "ratio"};

std::unexpected<Error> WrongLine(std::string_view expected, std::string_view line) {
  return Invalid(StrCat("output: expected ", expected, ", found ", Quote(line)));
}

Result<double> ParseNumber(std::string_view text) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return WrongLine("a number", text);
  return number;
}

std::string Rest(const std::vector<std::string_view>& words, size_t from) {
  std::string rest;
  for (size_t at = from; at < words.size(); ++at) rest += StrCat(at > from ? " " : "", words[at]);
  return rest;
}

// A metric's or a probe's: what is inside may write anything.
Status CheckName(std::string_view name, std::string_view line) {
  auto printable = [](char letter) { return letter > ' ' && letter < 0x7f; };
  if (!name.empty() && std::all_of(name.begin(), name.end(), printable)) return {};
  return WrongLine("a name of printable letters", line);
}

// METRIC UNIT NUMBER …, from word `first` on.
Status ReadSamples(const std::vector<std::string_view>& words, size_t first,
                   const std::optional<At>& at, std::string_view line, Outcome& outcome) {
  if (words.size() < first + 3) return WrongLine("a metric, a unit and numbers", line);
  TRY(CheckName(words[first], line));
  auto unit = words[first + 1];
  if (std::find(std::begin(kUnits), std::end(kUnits), unit) == std::end(kUnits))
    return WrongLine("a known unit", line);
  for (size_t i = first + 2; i < words.size(); ++i) {
    double number = TRY(ParseNumber(words[i]));
    outcome.samples.push_back({std::string(words[first]), std::string(unit), at, number});
  }
  return {};
}

Status ReadLine(std::string_view line, Outcome& outcome) {
  auto words = Split(line, ' ');
  if (words.size() > 1) TRY(CheckName(words[1], line));
  if (words[0] == "result") return ReadSamples(words, 1, std::nullopt, line, outcome);
  if (words[0] == "at" && words.size() > 3) {
    At at{std::string(words[1]), TRY(ParseNumber(words[2]))};
    return ReadSamples(words, 3, at, line, outcome);
  }
  if (words[0] == "finding" && words.size() > 2) {
    outcome.findings.push_back({std::string(words[1]), std::string(words[2]), Rest(words, 3)});
    return {};
  }
  if (words[0] == "cannot" && words.size() > 1) {
    outcome.gaps.push_back({std::string(words[1]), Rest(words, 2)});
    return {};
  }
  if (line == "ready") return {};
  return WrongLine("result, at, ready, finding, cannot or end", line);
}

// A compiled expression that is freed at the end.
class Expression {
 public:
  explicit Expression(const std::string& pattern)
      : error_(regcomp(&compiled_, pattern.c_str(), REG_EXTENDED | REG_NEWLINE)) {}
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;
  ~Expression() {
    if (error_ == 0) regfree(&compiled_);
  }
  bool valid() const { return error_ == 0 && compiled_.re_nsub > 0; }
  // What the first group matched.
  std::optional<std::string> FirstGroup(const std::string& text) const {
    regmatch_t groups[2];
    if (regexec(&compiled_, text.c_str(), 2, groups, 0) != 0 || groups[1].rm_so < 0)
      return std::nullopt;
    return text.substr(static_cast<size_t>(groups[1].rm_so),
                       static_cast<size_t>(groups[1].rm_eo - groups[1].rm_so));
  }

 private:
  regex_t compiled_ = {};
  int error_;
};

}  // namespace

Result<Outcome> ReadLoadOutput(std::string_view text) {
  Outcome outcome;
  bool ended = false;
  for (auto line : Split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);  // a console's
    if (line.empty()) continue;
    if (ended) return WrongLine("nothing behind `end`", line);
    if (line == "end") {
      ended = true;
    } else {
      TRY(ReadLine(line, outcome));
    }
  }
  if (!ended) return Invalid("output: expected a last line `end`, found none");
  return outcome;
}

Result<Outcome> ReadByPatterns(std::string_view text, const std::vector<OutputPattern>& patterns) {
  Outcome outcome;
  const std::string whole(text);
  for (const auto& [pattern, metric, unit, factor] : patterns) {
    Expression expression(pattern);
    if (!expression.valid()) {
      return Invalid(
          StrCat("read: pattern: expected a POSIX extended expression with a group, found ",
                 Quote(pattern)));
    }
    auto found = expression.FirstGroup(whole);
    if (!found)
      return Invalid(StrCat("output: expected ", Quote(pattern), ", found ", Quote(whole)));
    double number = TRY(ParseNumber(*found));
    outcome.Add(metric, unit, number * factor);
  }
  return outcome;
}

std::vector<Sample> Medians(const std::vector<Sample>& samples) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<Sample>> by_metric;
  for (const auto& sample : samples) {
    if (sample.at) continue;
    auto& list = by_metric[sample.metric];
    if (list.empty()) order.push_back(sample.metric);
    list.push_back(sample);
  }
  std::vector<Sample> medians;
  for (const auto& metric : order) {
    auto& list = by_metric[metric];
    auto less = [](const Sample& a, const Sample& b) { return a.number < b.number; };
    std::sort(list.begin(), list.end(), less);
    size_t half = list.size() / 2;
    Sample median = list[half];
    if (list.size() % 2 == 0) median.number = (list[half - 1].number + list[half].number) / 2;
    medians.push_back(std::move(median));
  }
  return medians;
}

}  // namespace kiste::bench
