// SPDX-License-Identifier: Apache-2.0
//
// What a file in workloads/ says: what is measured, by which method, on which command inside.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/description/toml.h"

namespace kiste::bench {

// What an instance may use; nothing means no limit.
struct Limits {
  std::optional<double> cpus;      // processors, 0.5 is half of one
  std::optional<uint64_t> memory;  // bytes
  std::optional<uint64_t> pids;
  std::optional<int> processor;  // the one to run on; as far as a target can be told
  bool operator==(const Limits&) const = default;
};

enum class NetworkKind {
  kNone,  // loopback alone
  kLink,  // and a link to the run
};

// A figure in the output of a program that does not speak as `load` does: a POSIX extended regular
// expression whose first group is a number.
struct OutputPattern {
  std::string pattern, metric, unit;
  double factor = 1;  // to the unit
};

struct WorkloadDescription {
  std::string name, source;
  std::string title, axiom, method;
  Words command;                      // inside; {load}, {data}
  std::vector<std::string> programs;  // of the host, to be had inside with their libraries
  std::vector<OutputPattern> read;
  Limits limits;
  NetworkKind network = NetworkKind::kNone;
  bool pin = false;       // to one processor: less noise where one is enough
  bool data = false;      // a folder on the run's file system, {data} inside
  double patience = 120;  // seconds that one command may take
  int most_rounds = 0;    // takes part in no more rounds than that; 0: in all
  std::map<std::string, std::vector<double>> numbers;     // [settings]: numbers and lists of them
  std::map<std::string, std::vector<std::string>> words;  // [settings]: texts and lists of them

  // A setting, or what stands for it.
  double Number(const std::string& setting, double fallback) const;
  std::vector<double> Numbers(const std::string& setting,
                              const std::vector<double>& fallback) const;
  std::vector<std::string> Texts(const std::string& setting,
                                 const std::vector<std::string>& fallback) const;
};

Result<WorkloadDescription> ParseWorkload(std::string_view text, const std::string& name,
                                          const std::string& file);

}  // namespace kiste::bench
