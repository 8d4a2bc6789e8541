// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "cli/program.h"

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  return kiste::cli::RunProgram(words);
}
