// SPDX-License-Identifier: Apache-2.0
// runtime-bench: the speed and size of OCI runtimes, side by side.
//
// Two processes. The outer one waits and, when the inner one has ended in whatever way, sweeps what
// is left of it. The inner one measures, in a mount namespace of its own.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "measurement.h"
#include "options.h"
#include "private_mounts.h"
#include "report.h"
#include "sweep.h"

namespace kiste::perf {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kStopPatienceMs = 10'000;

struct Place {
  std::string prefix;  // of every container and cgroup
  std::string work_directory;
  std::string own_directory;  // where this program and its companions are
};

Result<void> CheckCases(const Options& options,
                        const std::vector<std::unique_ptr<Measurement>>& measurements) {
  for (const std::string& wanted : options.cases) {
    Options only = options;
    only.cases = {wanted};
    bool known = false;
    for (const auto& measurement : measurements) {
      for (const Metric& metric : measurement->Metrics()) known |= Wants(only, metric.name);
    }
    if (!known) return Fail("--cases '" + wanted + "': no such case, see --help");
  }
  return {};
}

bool WantsAny(const Options& options, const Measurement& measurement) {
  for (const Metric& metric : measurement.Metrics()) {
    if (Wants(options, metric.name)) return true;
  }
  return false;
}

Result<Targets> FindTargets(const Options& options, const Place& place,
                            std::vector<Missing>& missing) {
  Targets targets;
  std::set<std::string> names;
  for (const std::string& text : options.targets) {
    auto target = MakeTarget(text, place.own_directory, place.work_directory);
    if (!target) {
      missing.push_back({text, target.error().text});
    } else if (!names.insert((*target)->Name()).second) {
      return Fail("--targets: " + (*target)->Name() + " stands there twice");
    } else {
      targets.push_back(std::move(*target));
    }
  }
  if (targets.empty()) {
    std::string reasons;
    for (const Missing& entry : missing) reasons += "; " + entry.reason;
    return Fail("none of the targets is there" + reasons);
  }
  return targets;
}

void MeasureOne(Measurement& measurement, const Options& options, const Targets& targets,
                Workshop& workshop, Report& report, std::mt19937_64& random) {
  if (const std::string obstacle = measurement.Obstacle(); !obstacle.empty()) {
    report.LeftOut("case " + measurement.Metrics()[0].name, obstacle);
    return;
  }
  const Schedule schedule{options.schedule.warm_up, measurement.Rounds(options.schedule.rounds)};
  const Samples samples = Interleave(measurement, targets, schedule, workshop, random);
  if (InterruptedBy()) return;
  const auto metrics = measurement.Metrics();
  for (size_t i = 0; i < metrics.size(); ++i) {
    if (Wants(options, metrics[i].name))
      report.Case(metrics[i], i, targets, samples, schedule.rounds);
  }
  report.Failures(samples);
}

// In the inner process. The exit code.
Result<int> Measure(const Options& options, const Place& place) {
  const std::string layout = TRY(EnterPrivateMounts(place.work_directory, options.unified));
  std::vector<Missing> missing;
  const Targets targets = TRY(FindTargets(options, place, missing));
  Workshop workshop(
      TRY(Bundles::Make(place.work_directory, place.own_directory + "/runtime-nothing")),
      place.prefix, place.work_directory, place.own_directory);
  const auto measurements = AllMeasurements(workshop);
  if (const auto known = CheckCases(options, measurements); !known) {
    std::fprintf(stderr, "runtime-bench: %s\n", known.error().text.c_str());
    return kUsage;
  }
  if (!options.json.empty()) TRY(WriteFile(options.json, ""));  // better now than after minutes

  Report report(options);
  report.Begin(layout, targets, missing);
  const auto profile = workshop.GetBundles().LoadSeccompProfile(options.seccomp_profile);
  std::mt19937_64 random(options.seed);
  for (const auto& measurement : measurements) {
    if (!WantsAny(options, *measurement) || InterruptedBy()) continue;
    const std::string name = measurement->Metrics()[0].name;
    if (!profile && name.contains("seccomp")) {
      report.LeftOut("case " + name, profile.error().text);
      continue;
    }
    MeasureOne(*measurement, options, targets, workshop, report, random);
  }
  if (InterruptedBy()) return 128 + InterruptedBy();
  if (!options.json.empty()) TRY(WriteFile(options.json, report.Text()));
  return report.Clean() ? 0 : kFailed;
}

[[noreturn]] void Inner(const Options& options, const Place& place, pid_t outer) {
  BlockInterruptions(false);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  // Containers whose runtime command has ended come to us, to be waited for.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const auto code = Measure(options, place);
  if (!code) std::fprintf(stderr, "runtime-bench: %s\n", code.error().text.c_str());
  std::fflush(nullptr);
  if (getppid() != outer) Sweep(place.prefix, place.work_directory);
  _exit(code ? *code : kFailed);
}

// Waits for the inner process and passes a signal of ours on. It sleeps until one of the two comes:
// a process that looked now and then would end the idleness that some cases measure after.
int Watch(pid_t inner) {
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, inner, 0)));
  sigset_t none;
  sigemptyset(&none);
  pollfd entry{pidfd.Get(), POLLIN, 0};
  while (ppoll(&entry, 1, nullptr, &none) < 0) {
    kill(inner, InterruptedBy());
    if (poll(&entry, 1, kStopPatienceMs) <= 0) kill(inner, SIGKILL);
  }
  int status = 0;
  waitpid(inner, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int Outer(const Options& options) {
  std::error_code error;
  const auto own_path = std::filesystem::read_symlink("/proc/self/exe", error);
  std::string directory =
      (std::filesystem::temp_directory_path(error) / "runtime-bench-XXXXXX").native();
  if (!mkdtemp(directory.data())) {
    std::fprintf(stderr, "runtime-bench: make %s: %s\n", directory.c_str(), std::strerror(errno));
    return kFailed;
  }
  const Place place{"runtime-bench-" + std::to_string(getpid()) + "-", directory,
                    own_path.parent_path().native()};
  CatchInterruptions();
  BlockInterruptions(true);  // let in by Watch() alone
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t outer = getpid();
  const pid_t inner = fork();
  if (inner == 0) Inner(options, place, outer);
  int code = kFailed;
  if (inner > 0) code = Watch(inner);
  const Swept swept = Sweep(place.prefix, place.work_directory);
  if (code >= 128)
    std::fprintf(stderr, "runtime-bench: ended by signal %d, cleaned up\n", code - 128);
  if (code < 128 && (swept.cgroups || swept.processes)) {
    std::printf("*** NOT CLEAN: a target left %d cgroups and %d processes behind; removed\n",
                swept.cgroups, swept.processes);
    code = kFailed;
  }
  return code;
}

}  // namespace
}  // namespace kiste::perf

int main(int argc, char** argv) {
  using namespace kiste::perf;
  const auto options = ParseOptions(argc, argv);
  if (!options) {
    std::fprintf(stderr, "runtime-bench: %s\n", options.error().text.c_str());
    return kUsage;
  }
  if (options->help) {
    std::fputs(HelpText().c_str(), stdout);
    return 0;
  }
  if (geteuid() != 0) {
    std::fprintf(stderr, "runtime-bench: must be run as root\n");
    return kFailed;
  }
  close_range(3, ~0U, 0);  // what our caller left open is no container's business
  return Outer(*options);
}
