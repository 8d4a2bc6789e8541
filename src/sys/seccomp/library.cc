// SPDX-License-Identifier: Apache-2.0
#include "sys/seccomp/library.h"

#include <linux/bpf_common.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strings.h"

namespace kiste::sys {

std::unexpected<Error> LibraryError(int result, std::string_view operation) {
  return SystemError(-result, std::string(operation));
}

std::string Field(size_t index, std::string_view member) {
  return StrCat("syscalls[", index, "].", member);
}

std::unexpected<Error> Contradiction(const Rule& rule) {
  return Invalid(StrCat(Field(rule.index, "names"), ": ", Quote(rule.name),
                        " has a rule with the same args and another action"));
}

Status AddRule(const Filter& filter, const Rule& rule) {
  int result =
      seccomp_rule_add_array(filter.get(), rule.action, rule.number,
                             static_cast<unsigned>(rule.conditions.size()), rule.conditions.data());
  if (result == -EEXIST) return Contradiction(rule);
  if (result < 0) return LibraryError(result, StrCat("seccomp_rule_add ", Quote(rule.name)));
  return {};
}

Result<std::vector<sock_filter>> Export(const Filter& filter) {
  Fd memory(memfd_create("seccomp", MFD_CLOEXEC));
  if (!memory) return ErrnoError("memfd_create seccomp");
  int result = seccomp_export_bpf(filter.get(), memory.get());
  if (result < 0) return LibraryError(result, "seccomp_export_bpf");
  struct stat status{};
  if (fstat(memory.get(), &status) < 0) return ErrnoError("fstat seccomp memfd");
  auto bytes = static_cast<size_t>(status.st_size);
  std::vector<sock_filter> instructions(bytes / sizeof(sock_filter));
  if (instructions.empty() || bytes % sizeof(sock_filter) != 0) {
    return SystemError(EIO, StrCat("seccomp_export_bpf: ", bytes, " bytes"));
  }
  ssize_t got = pread(memory.get(), instructions.data(), bytes, 0);
  if (got < 0) return ErrnoError("read seccomp memfd");
  if (static_cast<size_t>(got) != bytes) return SystemError(EIO, "read seccomp memfd");
  return instructions;
}

Status CheckLength(std::span<const sock_filter> filter) {
  if (filter.size() <= BPF_MAXINSNS) return {};
  return Fail(ErrorKind::kUnsupported, StrCat("the profile compiles to ", filter.size(),
                                              " instructions, the kernel takes ", BPF_MAXINSNS));
}

}  // namespace kiste::sys
