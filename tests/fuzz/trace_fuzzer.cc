// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer over what the kernel's tracer gives: a page of its ring buffer, the list of symbols,
// the format of an event.
//   build/fuzz/fuzz/trace_fuzzer tests/fuzz/corpus/trace
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bench/kernel/ring_page.h"
#include "bench/kernel/source_lines.h"
#include "bench/kernel/symbols.h"
#include "bench/kernel/tracer.h"

namespace {

using namespace kiste::bench;  // NOLINT: a program of one file

void Require(bool holds) {
  if (!holds) abort();
}

void CheckPage(std::string_view page) {
  size_t bytes = 0;
  ReadRingPage(page, [&](const TraceEvent& event) {
    Require(event.data.data() >= page.data() &&
            event.data.data() + event.data.size() <= page.data() + page.size());
    bytes += event.data.size();
  });
  Require(bytes <= page.size());
}

void CheckSymbols(std::string_view text) {
  auto symbols = Symbols::Parse(text);
  if (!symbols) return Require(!symbols.error().Text().empty());
  int place = 0;
  for (const auto& function : symbols->functions()) {
    Require(function.size == 0 || symbols->Find(function.address) == place);
    ++place;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckPage(text);
  CheckSymbols(text);
  Require(text.ends_with(KernelPath(text)));
  if (auto id = ParseEventId(text); !id) Require(!id.error().Text().empty());
  if (auto field = ParseField(text, "child_pid"); !field) Require(!field.error().Text().empty());
  return 0;
}
