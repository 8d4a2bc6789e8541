// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer: any text is a container's record (state.json) or an error; what was read is written
// and read again without a change, and its cgroups are absolute paths that do not climb, or
// refused.
//   build/fuzz/fuzz/record_fuzzer tests/fuzz/corpus/record
#include <cstdint>
#include <cstdlib>
#include <string>

#include "runtime/record.h"
#include "sys/cgroup/cgroup.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto record =
      kiste::runtime::ParseRecord({reinterpret_cast<const char*>(data), size}, "state.json");
  if (!record) {
    if (record.error().Text().empty()) abort();
    return 0;
  }
  auto text = kiste::runtime::RecordJson(*record);
  auto again = kiste::runtime::ParseRecord(text, "state.json");
  if (!again || kiste::runtime::RecordJson(*again) != text) abort();
  if (auto cgroup = kiste::sys::cgroup::Cgroup::Open(record->cgroups)) {
    for (const auto& [name, path] : cgroup->paths()) {
      if (!path.starts_with('/') || path.find("/../") != std::string::npos) abort();
    }
  }
  return 0;
}
