// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/program.h"

// Nothing throws: the library's own handler would bring a demangler of 47 KB for its last words.
namespace __gnu_cxx {
void __verbose_terminate_handler();
void __verbose_terminate_handler() { std::abort(); }
}  // namespace __gnu_cxx

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  return kiste::cli::RunProgram(words);
}
