// SPDX-License-Identifier: Apache-2.0
//
// Who the process is and what it may do, in the order that keeps each step permitted: bounding set,
// user, capabilities, seccomp.
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

long DropBounding(const Operation& op) {
  for (unsigned capability = 0; capability < 64; ++capability) {
    if ((op.a >> capability & 1) != 0) continue;
    long error = Call<__NR_prctl>(PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (error == -EINVAL) return 0;  // past the kernel's last one
    if (error < 0) return error;
  }
  return 0;
}

long SwitchUser(Launcher& l, const Operation& op) {
  long error = Call<__NR_prctl>(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (error < 0) return error;
  if ((op.flags & kSetGroups) != 0) {
    error = Call<__NR_setgroups>(op.data_count, l.Data<__u32>(op.data));
    if (error < 0) {
      l.Explain("setgroups");
      return error;
    }
  }
  error = Call<__NR_setresgid>(op.b, op.b, op.b);
  if (error < 0) {
    l.Explain("setresgid");
    return error;
  }
  error = Call<__NR_setresuid>(op.a, op.a, op.a);
  if (error < 0) {
    l.Explain("setresuid");
    return error;
  }
  return Call<__NR_prctl>(PR_SET_KEEPCAPS, 0, 0, 0, 0);
}

long SetCapabilities(Launcher& l, const Operation& op) {
  const auto* sets = l.Data<__u64>(op.data);  // effective, permitted, inheritable, ambient
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  for (unsigned half = 0; half < 2; ++half) {
    data[half].effective = static_cast<__u32>(sets[0] >> (32 * half));
    data[half].permitted = static_cast<__u32>(sets[1] >> (32 * half));
    data[half].inheritable = static_cast<__u32>(sets[2] >> (32 * half));
  }
  long error = Call<__NR_capset>(&header, data);
  if (error < 0) {
    l.Explain("capset");
    return error;
  }
  if (sets[3] == 0) return 0;
  for (unsigned capability = 0; capability < 64; ++capability) {
    if ((sets[3] >> capability & 1) == 0) continue;
    error = Call<__NR_prctl>(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
    if (error < 0) {
      l.Explain("raise an ambient capability (it must be permitted and inheritable)");
      return error;
    }
  }
  return 0;
}

long Seccomp(Launcher& l, const Operation& op) {
  sock_fprog program{};
  program.len = static_cast<unsigned short>(op.data_count);
  program.filter = l.Data<sock_filter>(op.data);
  // The last word before the filter, which may refuse to send any: from here only execve is left.
  SendReport(l, ReportKind::kExec, 0);
  long listener = Call<__NR_seccomp>(SECCOMP_SET_MODE_FILTER, op.a, &program);
  // Without that flag a success is 0, and no descriptor.
  bool listens = (op.a & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0 && op.fd >= 0;
  if (listener < 0 || !listens) return listener < 0 ? listener : 0;
  StatePieces state;
  ExpandState(l, l.Text(op.text), state);
  long error = SendDescriptor(op.fd, static_cast<int>(listener), state.pieces, state.count);
  Call<__NR_close>(listener);
  Call<__NR_close>(op.fd);
  return error;
}

}  // namespace kiste::isolation::launcher
