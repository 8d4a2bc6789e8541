// SPDX-License-Identifier: Apache-2.0
//
// Where kiste-bench finds what belongs to it, beside its own program: ../share/kiste-bench with
// the descriptions, ../libexec/kiste-bench/load; and kiste-oci in its own folder, before PATH.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "bench/description/target.h"
#include "bench/description/workload.h"

namespace kiste::cli::bench {

class Files {
 public:
  static constexpr std::string_view kOci = "oci:";  // before the path of any runtime's program
  // `descriptions` instead of ../share/kiste-bench, or beside it: its files come first. "": none.
  static Result<Files> Find(const std::string& descriptions);

  Result<std::string> Load() const;
  // All names, sorted.
  Result<std::vector<std::string>> TargetNames() const;
  Result<std::vector<std::string>> WorkloadNames() const;
  // A name, a path with a slash and .toml, or oci:PROGRAM. kNotFound lists what there is.
  Result<kiste::bench::TargetDescription> Target(const std::string& name) const;
  Result<kiste::bench::WorkloadDescription> Workload(const std::string& name) const;

 private:
  Result<std::vector<std::string>> Names(const std::string& kind) const;
  Result<std::string> FindFile(const std::string& kind, const std::string& name) const;

  std::string program_folder_;
  std::vector<std::string> folders_;
};

}  // namespace kiste::cli::bench
