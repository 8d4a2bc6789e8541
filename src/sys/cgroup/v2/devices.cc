// SPDX-License-Identifier: Apache-2.0
//
// Attaching the device program (bpf(2)). The kernel keeps it as long as the cgroup exists.
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "base/strings.h"
#include "sys/cgroup/v2/controllers.h"
#include "sys/cgroup/v2/device_program.h"

namespace kiste::sys::cgroup::v2 {

namespace {

constexpr uint32_t kMaxPrograms = 64;  // the kernel's limit for one cgroup

long Bpf(bpf_cmd command, bpf_attr& attributes) {
  return syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

// bpf(2) refuses unknown bytes that are not zero, and a union's initialiser clears one member only.
bpf_attr Zeroed() {
  bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  return attributes;
}

uint64_t Address(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

Result<Fd> Load(const std::vector<bpf_insn>& program) {
  bpf_attr attributes = Zeroed();
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = Address(program.data());
  attributes.insn_cnt = static_cast<uint32_t>(program.size());
  attributes.license = Address("Apache-2.0");
  long fd = Bpf(BPF_PROG_LOAD, attributes);
  if (fd < 0)
    return ErrnoError(StrCat("bpf load the device program of ", program.size(), " instructions"));
  return Fd(static_cast<int>(fd));
}

// The ids of the device programs attached to the cgroup itself.
Result<std::vector<uint32_t>> Attached(const Fd& cgroup, const Directory& directory) {
  std::vector<uint32_t> ids(kMaxPrograms);
  bpf_attr attributes = Zeroed();
  attributes.query.target_fd = static_cast<uint32_t>(cgroup.get());
  attributes.query.attach_type = BPF_CGROUP_DEVICE;
  attributes.query.prog_ids = Address(ids.data());
  attributes.query.prog_cnt = kMaxPrograms;
  if (Bpf(BPF_PROG_QUERY, attributes) != 0) {
    return ErrnoError("bpf query the device programs of " + directory.path);
  }
  ids.resize(attributes.query.prog_cnt);
  return ids;
}

// The program with this id; invalid when it is gone or may not be opened.
Fd ProgramById(uint32_t id) {
  bpf_attr attributes = Zeroed();
  attributes.prog_id = id;
  return Fd(static_cast<int>(Bpf(BPF_PROG_GET_FD_BY_ID, attributes)));
}

Status Attach(const Fd& cgroup, const Fd& program, const Fd& replaced, const Directory& directory) {
  bpf_attr attributes = Zeroed();
  attributes.target_fd = static_cast<uint32_t>(cgroup.get());
  attributes.attach_bpf_fd = static_cast<uint32_t>(program.get());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  // Programs of cgroups below and above count as well: each of them has to allow.
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  if (replaced) {
    attributes.attach_flags |= BPF_F_REPLACE;
    attributes.replace_bpf_fd = static_cast<uint32_t>(replaced.get());
  }
  if (Bpf(BPF_PROG_ATTACH, attributes) == 0) return {};
  return ErrnoError("bpf attach the device program to " + directory.path);
}

Status Detach(const Fd& cgroup, const Fd& program, const Directory& directory) {
  bpf_attr attributes = Zeroed();
  attributes.target_fd = static_cast<uint32_t>(cgroup.get());
  attributes.attach_bpf_fd = static_cast<uint32_t>(program.get());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  if (Bpf(BPF_PROG_DETACH, attributes) == 0 || errno == ENOENT) return {};
  return ErrnoError("bpf detach a device program from " + directory.path);
}

}  // namespace

Status SetDevices(const Directory& directory, const std::vector<DeviceRule>& rules) {
  auto instructions = TRY(CompileDeviceRules(rules));
  Fd program = TRY(Load(instructions));
  Fd cgroup = TRY(directory.Open("", O_RDONLY | O_DIRECTORY));
  if (directory.fresh) return Attach(cgroup, program, Fd(), directory);

  std::vector<Fd> old;
  auto ids = TRY(Attached(cgroup, directory));
  for (uint32_t id : ids) {
    if (Fd fd = ProgramById(id)) old.push_back(std::move(fd));
  }
  // In one step if the kernel can (5.6); otherwise both are in force for a moment, never neither.
  if (old.size() == 1 && Attach(cgroup, program, old[0], directory)) return {};
  TRY(Attach(cgroup, program, Fd(), directory));
  for (const auto& fd : old) TRY(Detach(cgroup, fd, directory));
  return {};
}

}  // namespace kiste::sys::cgroup::v2
