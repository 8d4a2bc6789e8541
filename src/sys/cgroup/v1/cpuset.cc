// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "sys/cgroup/v1/controllers.h"

namespace kiste::sys::cgroup::v1 {

namespace {

// Fills `file` in the directory and its empty parents.
Status Inherit(const Directory& directory, size_t made, std::string_view file) {
  std::vector<Directory> empty;
  Directory level = directory;
  std::string value;
  while (true) {
    if (empty.size() >= made) {
      std::string text = TRY(level.Read(file));
      value = Trim(text);
      if (!value.empty()) break;
    }
    if (level.path.size() <= directory.root_length) return {};  // even the root has none
    empty.push_back(level);
    level.path.resize(level.path.rfind('/'));
  }
  // Downwards: a child's set must be within its parent's.
  for (auto child = empty.rbegin(); child != empty.rend(); ++child) TRY(child->Write(file, value));
  return {};
}

}  // namespace

Status InheritCpuset(const Directory& directory, size_t made) {
  TRY(Inherit(directory, made, "cpuset.cpus"));
  return Inherit(directory, made, "cpuset.mems");
}

Status SetCpuset(const Directory& directory, const Cpu& cpu) {
  if (!cpu.cpus.empty()) TRY(directory.Set("cpu.cpus", "cpuset.cpus", cpu.cpus));
  if (!cpu.mems.empty()) TRY(directory.Set("cpu.mems", "cpuset.mems", cpu.mems));
  return {};
}

}  // namespace kiste::sys::cgroup::v1
