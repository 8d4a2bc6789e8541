// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "bench/run/run.h"
#include "cli/bench/command.h"
#include "cli/bench/files.h"

namespace kiste::cli::bench {

namespace {

constexpr Option kOptions[] = {
    {"descriptions", 0, "DIR", "a folder with targets/ and workloads/ of your own"},
};

std::string Line(const std::string& name, const std::string& title, const std::string& missing) {
  constexpr size_t kColumn = 22;
  std::string line = StrCat("  ", name);
  line += std::string(line.size() < kColumn ? kColumn - line.size() : 1, ' ');
  line += title;
  if (!missing.empty()) line += StrCat("  [missing: ", missing, "]");
  return line + "\n";
}

Result<int> List(const Session& session) {
  auto files = TRY(Files::Find(session.arguments.Value("descriptions")));
  std::string text = "Targets:\n";
  auto targets = TRY(files.TargetNames());
  for (const auto& name : targets) {
    auto target = TRY(files.Target(name));
    text += Line(name, target.title, kiste::bench::WhyMissing(target));
  }
  text += Line("oci:PROGRAM", "any OCI runtime that takes runc's command line", "");
  text += "\nWorkloads:\n";
  auto workloads = TRY(files.WorkloadNames());
  for (const auto& name : workloads) {
    auto workload = TRY(files.Workload(name));
    text += Line(name, StrCat(workload.axiom, ": ", workload.title),
                 kiste::bench::WhyMissing(workload));
  }
  TRY(Print(text));
  return 0;
}

}  // namespace

const Command kListCommand = {
    "list", "", "the targets and workloads, and what is missing here", kOptions, 0, 0, List};

}  // namespace kiste::cli::bench
