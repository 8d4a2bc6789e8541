// SPDX-License-Identifier: Apache-2.0
// What containers cost that only wait: their memory, and the processor time of asking each of them
// once a second whether it is well.
#include <elf.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <sstream>
#include <thread>

#include "measurement.h"

namespace kiste::perf {
namespace {

using Clock = std::chrono::steady_clock;

// Processor time of children that have been waited for, and of theirs, in ms.
double ChildrensTime() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto milliseconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
}

// As an orchestrator's probes: `exec true` in each of many containers, spread over a second.
class Probes : public Measurement {
 public:
  explicit Probes(Workshop& workshop) : workshop_(workshop) {}

  std::vector<Metric> Metrics() const override {
    return {{"probes", "ms", Better::kLower,
             "processor time of one `exec true` in each of " + std::to_string(kContainers) +
                 " containers within a second"}};
  }
  int Rounds(int asked) const override { return std::max(1, asked / 3); }
  bool Supports(const Target& target) const override { return target.Can(Verb::kExec); }

  Result<void> Prepare(const Target& target) override {
    CommandRunner runner = TRY(CommandRunner::Make());
    for (int slot = 0; slot < kContainers; ++slot) {
      Container container = TRY(workshop_.MakeContainer(target, slot, Payload::kSleep));
      container.exec_payload = PayloadCommand(Payload::kTrue);
      TRY(workshop_.Launch(target, container, runner));
      containers_[target.Name()].push_back(container);
    }
    return {};
  }
  Result<std::vector<double>> Sample(const Target& target) override {
    CommandRunner runner = TRY(CommandRunner::Make());
    const double before = ChildrensTime();
    auto next = Clock::now();
    for (const Container& container : containers_.at(target.Name())) {
      std::this_thread::sleep_until(next);
      next += std::chrono::milliseconds(1000 / kContainers);
      TRY(runner.Run(target.Command(Verb::kExec, container)));
    }
    return std::vector{ChildrensTime() - before};
  }
  Result<void> Finish(const Target& target) override {
    CommandRunner runner = TRY(CommandRunner::Make());
    for (const Container& container : containers_.at(target.Name()))
      TRY(workshop_.End(target, container, runner));
    return {};
  }

 private:
  static constexpr int kContainers = 100;
  Workshop& workshop_;
  std::map<std::string, std::vector<Container>> containers_;
};

// Of a container that was created and not started: what keeps it is the runtime's own process.
class Waiting : public Measurement {
 public:
  explicit Waiting(Workshop& workshop) : workshop_(workshop) {}

  std::vector<Metric> Metrics() const override {
    return {{"waiting", "KiB", Better::kLower,
             "resident memory of the process that waits for `start` (smaps_rollup)"}};
  }
  int Rounds(int asked) const override { return std::max(1, asked / 5); }
  bool Supports(const Target& target) const override { return target.Can(Verb::kCreate); }

  Result<std::vector<double>> Sample(const Target& target) override {
    Container container = TRY(workshop_.MakeContainer(target, 0, Payload::kSleep));
    CommandRunner runner = TRY(CommandRunner::Make());
    TRY(runner.Run(target.Command(Verb::kCreate, container)));
    container.pid =
        static_cast<pid_t>(std::strtol(TRY(ReadFile(container.pid_file)).c_str(), nullptr, 10));
    std::istringstream in(
        TRY(ReadFile("/proc/" + std::to_string(container.pid) + "/smaps_rollup")));
    double resident = 0;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("Rss:")) resident = std::strtod(line.c_str() + 4, nullptr);
    }
    TRY(workshop_.End(target, container, runner));
    if (resident <= 0) return Fail("smaps_rollup tells no resident memory");
    return std::vector{resident};
  }

 private:
  Workshop& workshop_;
};

// What strip(1) leaves, near enough: up to the end of the last segment that is loaded.
class ProgramSize : public Measurement {
 public:
  std::vector<Metric> Metrics() const override {
    return {{"size", "KiB", Better::kLower,
             "the program's loaded segments in its file (crun's libraries not counted)"}};
  }
  int Rounds(int) const override { return 1; }
  bool Supports(const Target& target) const override { return target.Can(Verb::kRun); }

  Result<std::vector<double>> Sample(const Target& target) override {
    const std::string file = TRY(ReadFile(target.Program()));
    Elf64_Ehdr header;
    if (file.size() < sizeof header || file.compare(0, SELFMAG, ELFMAG) != 0)
      return Fail(target.Program() + " is not an ELF program");
    std::memcpy(&header, file.data(), sizeof header);
    size_t end = 0;
    for (size_t i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr segment;
      const size_t at = header.e_phoff + i * sizeof segment;
      if (at + sizeof segment > file.size()) return Fail(target.Program() + " is cut short");
      std::memcpy(&segment, file.data() + at, sizeof segment);
      if (segment.p_type == PT_LOAD) end = std::max(end, segment.p_offset + segment.p_filesz);
    }
    return std::vector{static_cast<double>(end) / 1024};
  }
};

}  // namespace

void AddUpkeep(Workshop& workshop, std::vector<std::unique_ptr<Measurement>>& out) {
  out.push_back(std::make_unique<Waiting>(workshop));
  out.push_back(std::make_unique<ProgramSize>());
  out.push_back(std::make_unique<Probes>(workshop));
}

}  // namespace kiste::perf
