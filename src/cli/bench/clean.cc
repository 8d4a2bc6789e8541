// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "bench/room/ledger.h"
#include "cli/bench/command.h"

namespace kiste::cli::bench {

namespace {

Result<int> Clean(const Session&) {
  auto cleaned = TRY(kiste::bench::CleanUp());
  std::string text;
  for (const auto& one : cleaned)
    text += StrCat(one.run, one.alive ? ": still runs, left alone\n" : ": taken away\n");
  TRY(Print(text));
  return 0;
}

}  // namespace

const Command kCleanCommand = {"clean", "",   "take away what killed runs have left", {}, 0,
                               0,       Clean};

}  // namespace kiste::cli::bench
