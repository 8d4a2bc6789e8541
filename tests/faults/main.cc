// SPDX-License-Identifier: Apache-2.0
//
// The walk: for every command that changes a container, every system call that the runtime and its
// launcher make on the way, and every way in which that call can go wrong:
//
//   set up; run the command with the fault; `delete --force`; nothing may be left; and another
//   container with the same id can be created, started and deleted.
//
// A command that says it failed must have undone what it did before anybody deletes; EINTR must not
// be noticed at all; nothing crashes; nothing hangs. The kind "rival" stops the command at the
// call, runs the same command beside it, and lets it go on.
//
//   kiste-faults --runtime PATH --source DIR [--seconds N] [--seed N] [--only WORDS] [--verbose]
//
// Without --seconds all of it, in order; with it as much as fits, in the order that the seed
// shuffles.
// `--only "create/plain launcher 12 EIO"` does what is described by these words. Exit code 77: not
// possible here.
#include <seccomp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "stage.h"
#include "tracer.h"

namespace kiste::faults {

namespace {

using Clock = std::chrono::steady_clock;

struct Scenario {
  std::string name;                             // command/bundle
  std::vector<std::vector<std::string>> setup;  // commands that succeed
  std::vector<std::string> command;             // what is walked
  bool makes = false;                           // it makes the container: a failure leaves nothing
};

std::vector<Scenario> Scenarios(const Stage& stage) {
  const auto& id = stage.id();
  std::vector<Scenario> list;
  for (const char* bundle : {"plain", "users", "hooks", "bare"}) {
    std::vector<std::string> globals;
    if (std::string(bundle) == "bare") globals = {"--cgroup-manager", "disabled"};
    auto words = [&](std::vector<std::string> rest) {
      auto line = globals;
      line.insert(line.end(), rest.begin(), rest.end());
      return line;
    };
    std::string place = stage.Bundle(bundle), suffix = std::string("/") + bundle;
    auto create = words({"create", "--bundle", place, id});
    auto start = words({"start", id});
    auto freeze = words({"pause", id});
    std::string name = bundle;
    bool all = name == "plain", shares = name == "bare";
    list.push_back({"create" + suffix, {}, create, true});
    list.push_back({"run" + suffix, {}, words({"run", "--detach", "--bundle", place, id}), true});
    if (!shares) list.push_back({"start" + suffix, {create}, start});
    if (name != "hooks")
      list.push_back(
          {"exec" + suffix, {create, start}, words({"exec", id, "/bin/busybox", "true"})});
    if (all || shares)
      list.push_back({"kill" + suffix, {create, start}, words({"kill", id, "KILL"})});
    if (!shares) list.push_back({"delete" + suffix, {create}, words({"delete", id})});
    if (name != "users")
      list.push_back({"delete-force" + suffix, {create, start}, words({"delete", "--force", id})});
    if (all) {
      list.push_back({"pause" + suffix, {create, start}, freeze});
      list.push_back({"resume" + suffix, {create, start, freeze}, words({"resume", id})});
      list.push_back(
          {"delete-paused" + suffix, {create, start, freeze}, words({"delete", "--force", id})});
    }
  }
  return list;
}

struct Options {
  std::string runtime, source = ".", only;
  double seconds = 0;
  unsigned long seed = 0;
  bool verbose = false;
};

struct Case {
  const Scenario* scenario;
  int exit_code;  // without a fault
  Fault fault;
  long call;
};

const char* ProcessName(int process) { return process == 0 ? "runtime" : "launcher"; }

std::string Describe(const Case& one) {
  std::string process = ProcessName(one.fault.process);
  if (one.fault.process > 1) process += std::to_string(one.fault.process);
  return one.scenario->name + " " + process + " " + std::to_string(one.fault.call) + " " +
         CallName(one.call) + " " + KindName(one.fault.kind);
}

std::string OneLine(std::string text) {
  std::ranges::replace(text, '\n', '|');
  return text.substr(0, 400);
}

class Walk {
 public:
  Walk(Stage& stage, const Options& options) : stage_(stage), options_(options) {}

  int Go() {
    scenarios_ = Scenarios(stage_);
    if (!Plan()) return 1;
    if (options_.seconds > 0) {
      std::mt19937_64 random(options_.seed);
      std::ranges::shuffle(cases_, random);
    }
    Say(std::to_string(cases_.size()) + " faults in " + std::to_string(scenarios_.size()) +
        " commands; seed " + std::to_string(options_.seed) +
        (options_.seconds > 0 ? ", " + std::to_string(static_cast<int>(options_.seconds)) + " s"
                              : ", all"));
    auto begin = Clock::now();
    for (const auto& one : cases_) {
      std::chrono::duration<double> gone = Clock::now() - begin;
      if (options_.seconds > 0 && gone.count() > options_.seconds) break;
      Do(one);
    }
    std::chrono::duration<double> gone = Clock::now() - begin;
    Say(std::to_string(done_) + " of " + std::to_string(cases_.size()) + " faults in " +
        std::to_string(static_cast<int>(gone.count())) + " s: " + std::to_string(survived_) +
        " were survived, " + std::to_string(missed_) + " not met again, " +
        std::to_string(problems_) + " left something, hung or lied");
    return problems_ == 0 && done_ > 0 ? 0 : 1;
  }

 private:
  bool SetUp(const Scenario& scenario) {
    for (const auto& words : scenario.setup) {
      std::string output;
      int code = Run(stage_.Command(words), &output);
      if (code == 0) continue;
      Say("SETUP " + scenario.name + ": " + words[0] + " ended with " + std::to_string(code) +
          ": " + OneLine(output));
      return false;
    }
    return true;
  }

  void Force() {
    Run(stage_.Command({"delete", "--force", stage_.id()}), nullptr);
    stage_.Clear();
  }

  // One run of each command without a fault, to see the calls.
  bool Plan() {
    for (const auto& scenario : scenarios_) {
      if (!options_.only.empty() && options_.only.find('/') != std::string::npos &&
          !(" " + options_.only + " ").contains(" " + scenario.name + " ")) {
        continue;
      }
      if (!SetUp(scenario)) return false;
      auto outcome = Trace({.command = stage_.Command(scenario.command)});
      Force();
      if (outcome.exit_code != 0) {
        Say("PLAN " + scenario.name + ": ended with " + std::to_string(outcome.exit_code) + ": " +
            OneLine(outcome.output));
        return false;
      }
      AddCases(scenario, outcome);
    }
    return true;
  }

  void AddCases(const Scenario& scenario, const Outcome& outcome) {
    for (size_t process = 0; process < outcome.calls.size(); ++process) {
      const auto& calls = outcome.calls[process];
      for (size_t at = 0; at < calls.size(); ++at) {
        // Of many alike in a row (signals set to their default one by one) the first and the last.
        bool inner = at > 0 && at + 1 < calls.size() && calls[at - 1] == calls[at] &&
                     calls[at + 1] == calls[at];
        if (inner && IsRepetitive(calls[at])) continue;
        for (Kind kind : kKinds) {
          if (!CanFail(calls[at], kind)) continue;
          // A rival at every call of the runtime would say nothing new: at those that change
          // things.
          if (kind == Kind::kStop && (process != 0 || !Changes(calls[at]))) continue;
          Case one{
              &scenario, 0, {static_cast<int>(process), static_cast<int>(at), kind}, calls[at]};
          if (IsWanted(Describe(one))) cases_.push_back(one);
        }
      }
    }
  }

  // Every word of --only must be one of the description's.
  bool IsWanted(const std::string& description) const {
    std::istringstream words(options_.only);
    for (std::string word; words >> word;) {
      if (!(" " + description + " ").contains(" " + word + " ")) return false;
    }
    return true;
  }

  static bool IsRepetitive(long call) {
    std::string name = CallName(call);
    return name == "rt_sigaction" || name == "prctl";
  }

  static bool Changes(long call) {
    static const std::vector<std::string> kNames = {
        "mkdirat", "mkdir",   "flock", "rename", "renameat", "unlinkat",         "rmdir",
        "clone3",  "connect", "write", "kill",   "bind",     "pidfd_send_signal"};
    return std::ranges::find(kNames, CallName(call)) != kNames.end();
  }

  void Complain(const Case& one, const Outcome& outcome, const std::string& what) {
    ++problems_;
    Say("PROBLEM " + Describe(one) + ": " + what + "; it ended with " +
        std::to_string(outcome.exit_code) + ": " + OneLine(outcome.output));
  }

  void Do(const Case& one) {
    ++done_;
    const auto& scenario = *one.scenario;
    if (!SetUp(scenario)) {
      ++problems_;
      return Force();
    }
    bool rival = one.fault.kind == Kind::kStop;
    auto rival_words = scenario.command;
    rival_words.insert(rival_words.begin(), {"--timeout", "1"});
    auto outcome =
        Trace({.command = stage_.Command(scenario.command),
               .fault = one.fault,
               .bystander = rival ? stage_.Command(rival_words) : std::vector<std::string>()});
    if (!outcome.reached) ++missed_;
    if (options_.verbose)
      Say(Describe(one) + ": " + std::to_string(outcome.exit_code) + " " + OneLine(outcome.output));
    if (outcome.timed_out) {
      Complain(one, outcome, "it hung:" + outcome.waiting);
    } else if (rival) {
      CheckRival(one, outcome);
    } else {
      CheckEnd(one, outcome);
    }
    CheckCleanUp(one, outcome);
  }

  void CheckEnd(const Case& one, const Outcome& outcome) {
    bool killed = one.fault.kind == Kind::kKill;
    if (outcome.exit_code == 0) ++survived_;
    if (killed && one.fault.process == 0) return;
    if (outcome.reached && one.fault.kind == Kind::kInterrupted && outcome.exit_code != 0)
      Complain(one, outcome, "an interrupted call is no failure");
    if (outcome.exit_code == 127 && outcome.calls[0].size() < 12) return;  // before main()
    // The exit code of `exec` is its program's, which this was about to become.
    if (killed && outcome.exit_code == 137 && one.scenario->name.starts_with("exec")) return;
    if (outcome.exit_code > 127 && outcome.exit_code != 255) Complain(one, outcome, "it crashed");
    if (outcome.exit_code != 0 && std::ranges::count(outcome.output, '\n') == 0 &&
        CallName(outcome.call) != "write") {
      Complain(one, outcome, "it failed without a word");
    }
    if (outcome.exit_code == 0 || !one.scenario->makes) return;
    if (auto leaks = stage_.Leaks(); !leaks.empty())
      Complain(one, outcome, "it failed and left" + leaks);
  }

  // Of two that make or start one container exactly one may succeed.
  void CheckRival(const Case& one, const Outcome& outcome) {
    if (!outcome.reached) return;
    std::string pair = "both: the rival ended with " + std::to_string(outcome.bystander_code) +
                       ": " + OneLine(outcome.bystander_output);
    if (outcome.bystander_code < 0 || outcome.bystander_code > 127)
      Complain(one, outcome, "the rival hung or crashed, " + pair);
    bool makes = one.scenario->makes || one.scenario->name.starts_with("start");
    int winners = (outcome.exit_code == 0 ? 1 : 0) + (outcome.bystander_code == 0 ? 1 : 0);
    if (makes && winners != 1) Complain(one, outcome, "one of two should win, " + pair);
    if (!makes && winners == 0) Complain(one, outcome, "nobody won, " + pair);
    if (outcome.exit_code == 0) ++survived_;
  }

  void CheckCleanUp(const Case& one, const Outcome& outcome) {
    std::string output;
    auto begin = Clock::now();
    int code = Run(stage_.Command({"delete", "--force", stage_.id()}), &output);
    std::chrono::duration<double> gone = Clock::now() - begin;
    if (code != 0) {
      Complain(one, outcome,
               "delete --force ended with " + std::to_string(code) + " after " +
                   std::to_string(gone.count()) + " s: " + OneLine(output));
    }
    if (auto leaks = stage_.Leaks(); !leaks.empty()) {
      Complain(one, outcome, "delete --force left" + leaks);
      stage_.Clear();
    }
    CheckAgain(one, outcome);
  }

  void CheckAgain(const Case& one, const Outcome& outcome) {
    const auto& id = stage_.id();
    std::vector<std::string> create = {"create", "--bundle", stage_.Bundle("plain"), id};
    for (const auto& words :
         {create, std::vector<std::string>{"start", id}, {"delete", "--force", id}}) {
      std::string output;
      int code = Run(stage_.Command(words), &output);
      if (code == 0) continue;
      Complain(one, outcome,
               "afterwards " + words[0] + " ended with " + std::to_string(code) + ": " +
                   OneLine(output));
      return Force();
    }
    if (auto leaks = stage_.Leaks(); !leaks.empty()) {
      Complain(one, outcome, "the next container left" + leaks);
      Force();
    }
  }

  Stage& stage_;
  const Options& options_;
  std::vector<Scenario> scenarios_;
  std::vector<Case> cases_;
  int done_ = 0, survived_ = 0, missed_ = 0, problems_ = 0;
};

bool ReadOptions(int argc, char** argv, Options& options) {
  // Another sample every day; the seed is printed, so that a day can be had again.
  options.seed = static_cast<unsigned long>(std::chrono::system_clock::now().time_since_epoch() /
                                            std::chrono::hours(24));
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--verbose") {
      options.verbose = true;
      continue;
    }
    if (i + 1 == argc) return false;
    std::string value = argv[++i];
    if (word == "--runtime") {
      options.runtime = value;
    } else if (word == "--source") {
      options.source = value;
    } else if (word == "--only") {
      options.only = value;
    } else if (word == "--seconds") {
      options.seconds = std::atof(value.c_str());
    } else if (word == "--seed") {
      options.seed = std::strtoul(value.c_str(), nullptr, 10);
    } else {
      return false;
    }
  }
  return !options.runtime.empty();
}

}  // namespace

}  // namespace kiste::faults

int main(int argc, char** argv) {
  using namespace kiste::faults;  // NOLINT: a program of one file
  Options options;
  if (!ReadOptions(argc, argv, options)) {
    std::fputs(
        "usage: kiste-faults --runtime PATH [--source DIR] [--seconds N] [--seed N] "
        "[--only WORDS] [--verbose]\n",
        stderr);
    return 2;
  }
  if (geteuid() != 0) {
    Say("SKIPPED: needs root");
    return 77;
  }
  Stage stage(options.runtime, options.source);
  return Walk(stage, options).Go();
}
