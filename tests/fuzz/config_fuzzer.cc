// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer: any text is a configuration, a process object or resources, or an error with a text;
// never a crash. What was accepted must also pass validation again: it does not depend on the text.
//   build/fuzz/fuzz/config_fuzzer tests/fuzz/corpus/config
#include <cstdint>
#include <cstdlib>
#include <string>

#include "oci/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  auto config = kiste::oci::ParseConfig(text, "config.json");
  if (config && !kiste::oci::Validate(*config, "config.json")) abort();
  if (!config && config.error().Text().empty()) abort();
  if (auto process = kiste::oci::ParseProcess(text, "process.json")) {
    if (process->args.empty() || !process->cwd.starts_with('/')) abort();
  }
  auto resources = kiste::oci::ParseResources(text, "resources.json");
  if (!resources && resources.error().Text().empty()) abort();
  return 0;
}
