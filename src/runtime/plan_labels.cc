// SPDX-License-Identifier: Apache-2.0
//
// What the security modules want to know: apparmorProfile, selinuxLabel, mountLabel.
#include <algorithm>

#include "base/strings.h"
#include "runtime/plan.h"
#include "sys/file.h"

namespace kiste::runtime {

namespace {

bool Enabled(const char* file, char yes) {
  auto text = sys::ReadFileAt(AT_FDCWD, file, 64);
  return text && !text->empty() && (*text)[0] == yes;
}

// Whether the kernel enforces or reports by SELinux. One that was given no policy has all of
// SELinux's files, and "kernel" is every label (is_selinux_enabled(3) tells by that, too).
bool SelinuxEnabled() {
  constexpr char kEnforce[] = "/sys/fs/selinux/enforce";
  if (!Enabled(kEnforce, '1') && !Enabled(kEnforce, '0')) return false;
  auto label = sys::ReadFileAt(AT_FDCWD, "/proc/self/attr/current");
  return label && label->substr(0, label->find('\0')) != "kernel";  // a NUL ends it
}

std::unexpected<Error> NoSelinux(std::string_view field, std::string_view label) {
  return Fail(ErrorKind::kUnsupported,
              StrCat(field, ": ", Quote(label), ": SELinux is not enabled on this host"));
}

constexpr std::string_view kUnlabelled[] = {"proc", "sysfs", "cgroup", "cgroup2", "mqueue"};

}  // namespace

Status CheckMountLabel(const oci::Linux& linux) {
  const auto& label = linux.mount_label;
  if (label.empty()) return {};
  if (!SelinuxEnabled()) return NoSelinux("linux.mountLabel", label);
  if (label.find('"') == std::string::npos) return {};
  return Invalid(StrCat("linux.mountLabel: expected a label without quotes, found ", Quote(label)));
}

void LabelMount(const std::string& label, isolation::MountStep& step) {
  auto& mount = step.mount;
  if (label.empty() || mount.bind || mount.remount || !step.link_target.empty()) return;
  if (mount.type == "mqueue") step.selinux_label = label;
  if (std::ranges::find(kUnlabelled, mount.type) != std::end(kUnlabelled)) return;
  if (!mount.data.empty()) mount.data += ',';
  mount.data += StrCat("context=\"", label, "\"");
}

Status PlanLabels(const oci::Process& process, isolation::ProcessPlan& plan) {
  if (!process.apparmor_profile.empty()) {
    // "unconfined" is a profile too: this process may itself be confined.
    if (Enabled("/sys/module/apparmor/parameters/enabled", 'Y')) {
      plan.apparmor_profile = process.apparmor_profile;
    } else if (process.apparmor_profile != "unconfined") {
      return Fail(ErrorKind::kUnsupported,
                  StrCat("process.apparmorProfile: ", Quote(process.apparmor_profile),
                         ": AppArmor is not enabled on this host"));
    }
  }
  if (!process.selinux_label.empty() && !SelinuxEnabled())
    return NoSelinux("process.selinuxLabel", process.selinux_label);
  plan.selinux_label = process.selinux_label;
  return {};
}

}  // namespace kiste::runtime
