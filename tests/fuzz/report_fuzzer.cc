// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer over what comes from the launcher: any bytes are a report that becomes one line of
// error, or no report.
//   build/fuzz/fuzz/report_fuzzer tests/fuzz/corpus/report
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "isolation/namespaces/report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kiste::isolation;  // NOLINT: a program of one file
  launcher::Report report{};
  size_t received = size < sizeof report ? size : sizeof report;
  std::memcpy(static_cast<void*>(&report), data, received);
  if (!CheckReport(report, received)) return 0;
  auto text = ReportedError(report, std::vector<std::string>{"one", "two", "three"}).Text();
  if (text.empty() || text.find('\n') != std::string::npos) abort();
  return 0;
}
