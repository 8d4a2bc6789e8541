// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer: any text is a process object (exec --process) or an error that is one line.
//   build/fuzz/fuzz/process_fuzzer tests/fuzz/corpus/process
#include <cstdint>
#include <cstdlib>
#include <string>

#include "oci/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto process =
      kiste::oci::ParseProcess({reinterpret_cast<const char*>(data), size}, "process.json");
  if (!process) {
    auto text = process.error().Text();
    if (text.empty() || text.find('\n') != std::string::npos) abort();
    return 0;
  }
  if (process->args.empty() || !process->cwd.starts_with('/')) abort();
  for (const auto& limit : process->rlimits) {
    if (limit.soft > limit.hard) abort();
  }
  return 0;
}
