// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer over /etc/passwd as the launcher reads it for HOME: the image's file, read by a program
// without bounds checks. The first line is the uid.
//   build/fuzz/fuzz/passwd_fuzzer tests/fuzz/corpus/passwd
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "isolation/namespaces/launcher/launcher.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kiste::isolation::launcher;  // NOLINT: a program of one file
  std::vector<char> text(data, data + size);
  text.push_back(0);
  const char* rest = text.data();
  unsigned long uid = 0;
  ParseNumber(rest, uid);
  const char* home = FindHome(text.data() + (rest - text.data()), uid);
  if (home != nullptr &&
      (home < text.data() || home + std::strlen(home) >= text.data() + text.size()))
    abort();
  return 0;
}
