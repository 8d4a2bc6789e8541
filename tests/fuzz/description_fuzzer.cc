// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer over kiste-bench's descriptions: any bytes are a target, a workload, or an error that
// names the file.
//   build/fuzz/fuzz/description_fuzzer tests/fuzz/corpus/description
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bench/description/target.h"
#include "bench/description/workload.h"

namespace {

template <typename Description>
void Check(const kiste::Result<Description>& description) {
  if (description ? description->name != "name"
                  : description.error().Text().find("file") == std::string::npos)
    abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Check(kiste::bench::ParseTarget(text, "name", "file"));
  Check(kiste::bench::ParseWorkload(text, "name", "file"));
  return 0;
}
