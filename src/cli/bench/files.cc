// SPDX-License-Identifier: Apache-2.0
#include "cli/bench/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <set>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::cli::bench {

namespace {

constexpr std::string_view kSuffix = ".toml";

std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

// target.toml -> target
std::string NameOf(const std::string& path) {
  auto name = path.substr(path.rfind('/') + 1);
  return name.ends_with(kSuffix) ? name.substr(0, name.size() - kSuffix.size()) : name;
}

}  // namespace

Result<Files> Files::Find(const std::string& descriptions) {
  Files files;
  auto program = TRY(sys::ReadLink("/proc/self/exe"));
  files.program_folder_ = FolderOf(program);
  if (!descriptions.empty()) files.folders_.push_back(descriptions);
  files.folders_.push_back(StrCat(files.program_folder_, "/../share/kiste-bench"));
  const char* path = getenv("PATH");
  auto with_ours = StrCat(files.program_folder_, ":", path != nullptr ? path : "/usr/bin:/bin");
  setenv("PATH", with_ours.c_str(), 1);
  return files;
}

Result<std::string> Files::Load() const {
  return sys::RealPath(StrCat(program_folder_, "/../libexec/kiste-bench/load"));
}

Result<std::vector<std::string>> Files::Names(const std::string& kind) const {
  std::set<std::string> names;
  for (const auto& folder : folders_) {
    auto path = StrCat(folder, "/", kind);
    auto directory = sys::Open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!directory) continue;
    auto listed = TRY(sys::ListDirectory(directory->get(), path));
    for (const auto& name : listed) {
      if (name.ends_with(kSuffix)) names.insert(NameOf(name));
    }
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Result<std::vector<std::string>> Files::TargetNames() const { return Names("targets"); }
Result<std::vector<std::string>> Files::WorkloadNames() const { return Names("workloads"); }

Result<std::string> Files::FindFile(const std::string& kind, const std::string& name) const {
  if (name.find('/') != std::string::npos) return name;
  for (const auto& folder : folders_) {
    auto path = StrCat(folder, "/", kind, "/", name, kSuffix);
    if (sys::Exists(AT_FDCWD, path)) return path;
  }
  auto known = TRY(Names(kind));
  return Fail(ErrorKind::kNotFound,
              StrCat(kind, ": expected one of ", Join(known, ", "), ", found ", Quote(name)));
}

Result<kiste::bench::TargetDescription> Files::Target(const std::string& name) const {
  if (name.starts_with(kOci)) return kiste::bench::OciTarget(name.substr(kOci.size()));
  auto path = TRY(FindFile("targets", name));
  auto text = TRY(sys::ReadRegularFile(path, 1 << 20));
  return kiste::bench::ParseTarget(text, NameOf(path), path);
}

Result<kiste::bench::WorkloadDescription> Files::Workload(const std::string& name) const {
  auto path = TRY(FindFile("workloads", name));
  auto text = TRY(sys::ReadRegularFile(path, 1 << 20));
  return kiste::bench::ParseWorkload(text, NameOf(path), path);
}

}  // namespace kiste::cli::bench
