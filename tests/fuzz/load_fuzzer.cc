// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer over what a measured program says: the output of `load`, which comes out of the
// sandbox, and a third program's, read by patterns. Any bytes are finite figures or an error of one
// line.
//   build/fuzz/fuzz/load_fuzzer tests/fuzz/corpus/load
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bench/method/read_output.h"

namespace {

using namespace kiste::bench;  // NOLINT: a program of one file

void Require(bool holds) {
  if (!holds) abort();
}

void Check(const kiste::Result<Outcome>& outcome) {
  if (!outcome) {
    auto text = outcome.error().Text();
    Require(!text.empty() && text.find('\n') == std::string_view::npos);
    return;
  }
  for (const auto& sample : outcome->samples) {
    Require(std::isfinite(sample.number) && !sample.metric.empty() && !sample.unit.empty());
    Require(!sample.at || std::isfinite(sample.at->x));
  }
  for (const auto& finding : outcome->findings) Require(!finding.probe.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Check(ReadLoadOutput(text));
  Check(ReadByPatterns(text, {{"total time: *([0-9.]+)s", "time", "ns", 1e9},
                              {"([0-9.]+) requests", "requests", "1/s", 1}}));
  return 0;
}
