// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <getopt.h>

#include <algorithm>
#include <charconv>
#include <random>
#include <sstream>

namespace kiste::perf {
namespace {

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string item; std::getline(in, item, ',');) {
    if (!item.empty()) out.push_back(item);
  }
  return out;
}

template <class Number>
Result<Number> ParseNumber(const std::string& option, const std::string& text, Number least) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least) {
    return Fail("--" + option + " '" + text + "': expected a number from " + std::to_string(least));
  }
  return value;
}

Result<void> Take(Options& options, const std::string& option, const std::string& value) {
  if (option == "targets") options.targets = SplitAtCommas(value);
  if (option == "cases") options.cases = SplitAtCommas(value);
  if (option == "rounds") options.schedule.rounds = TRY(ParseNumber<int>(option, value, 1));
  if (option == "warm-up") options.schedule.warm_up = TRY(ParseNumber<int>(option, value, 0));
  if (option == "base") options.base = value;
  if (option == "json") options.json = value;
  if (option == "seccomp-profile") options.seccomp_profile = value;
  if (option == "seed") options.seed = TRY(ParseNumber<uint64_t>(option, value, 0));
  if (option == "keep-unified") options.unified = UnifiedHierarchy::kKeep;
  if (option == "help") options.help = true;
  return {};
}

}  // namespace

Result<Options> ParseOptions(int argc, char** argv) {
  static const option kOptions[] = {{"targets", required_argument, nullptr, 0},
                                    {"cases", required_argument, nullptr, 0},
                                    {"rounds", required_argument, nullptr, 0},
                                    {"warm-up", required_argument, nullptr, 0},
                                    {"base", required_argument, nullptr, 0},
                                    {"json", required_argument, nullptr, 0},
                                    {"seed", required_argument, nullptr, 0},
                                    {"seccomp-profile", required_argument, nullptr, 0},
                                    {"keep-unified", no_argument, nullptr, 0},
                                    {"help", no_argument, nullptr, 'h'},
                                    {nullptr, 0, nullptr, 0}};
  Options options;
  options.seed = std::random_device()();
  int which = 0;
  for (int code = 0; (code = getopt_long(argc, argv, "h", kOptions, &which)) != -1;) {
    if (code == '?') return Fail("see --help");
    if (code == 'h') {
      options.help = true;
    } else {
      TRY(Take(options, kOptions[which].name, optarg ? optarg : ""));
    }
  }
  if (optind < argc)
    return Fail(std::string("'") + argv[optind] + "': unexpected argument, see --help");
  return options;
}

bool Wants(const Options& options, const std::string& metric) {
  const auto matches = [&](const std::string& wanted) {
    return metric == wanted || (wanted == "throughput" && metric.starts_with("throughput-")) ||
           (wanted == "rss" && metric.starts_with("rss-"));
  };
  return options.cases.empty() || std::ranges::any_of(options.cases, matches);
}

std::string HelpText() {
  return R"(usage: runtime-bench [OPTIONS]

Measures OCI runtimes side by side: in every round each target is called once, in random order.
Prints medians, interquartile ranges, and the ratio of each median to the base's with a 95 %
bootstrap confidence interval. Needs root; leaves nothing behind, also when interrupted.

  --targets LIST          what to measure, comma-separated (default kiste,crun,runc,floor,bwrap).
                          NAME or NAME=[KIND:]PROGRAM [GLOBAL OPTIONS]; KIND is oci (runc's command
                          line), floor or bwrap. Example: --targets 'new=build/release/bin/kiste-oci,
                          old=/usr/bin/kiste-oci,crun'. What is missing is said and left out.
  --cases LIST            which cases (default all): run, run-idle, run-seccomp, run-seccomp-idle,
                          exec, exec-idle, create, start, state, pause, resume, kill, delete,
                          throughput (-1 -2 -4 -8), rss (and
                          -create … -delete), faults, switches, syscalls, waiting,
                          size, probes
  --rounds N              rounds of each timed case (default 30; throughput and probes take a
                          third, the counts a fifth)
  --warm-up N             rounds before those, not counted (default 3)
  --base NAME             the target that ratios refer to (default crun)
  --json FILE             also write every sample and every figure to FILE
  --seccomp-profile FILE  default /usr/share/containers/seccomp.json
  --seed N                of the order and the bootstrap (default random, printed)
  --keep-unified          on a hybrid host, keep /sys/fs/cgroup/unified mounted
  -h, --help              this text

Exit code: 0, 1 when something failed or was not clean, 2 for a wrong command line, 128+N when
interrupted by signal N.
)";
}

}  // namespace kiste::perf
