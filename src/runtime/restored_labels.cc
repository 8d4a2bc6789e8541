// SPDX-License-Identifier: Apache-2.0
#include "runtime/restored_labels.h"

#include <fcntl.h>

#include <algorithm>

#include "base/strings.h"
#include "runtime/plan.h"
#include "sys/file.h"
#include "sys/mqueue.h"
#include "sys/root_path.h"

namespace kiste::runtime {

namespace {

constexpr char kProfiles[] = "/sys/kernel/security/apparmor/profiles";

// " (enforce)" and its like, which AppArmor writes behind a profile's name.
std::string_view WithoutMode(std::string_view label) { return label.substr(0, label.rfind(" (")); }

// Without the end that both modules give it, and without a mode.
Result<std::string> LabelOf(const std::string& process) {
  std::string label = TRY(sys::ReadFileAt(AT_FDCWD, StrCat("/proc/", process, "/attr/current")));
  label.resize(label.find_last_not_of(std::string_view("\0\n", 2)) + 1);
  return std::string(WithoutMode(label));
}

struct Wanted {
  std::string_view source, module, label;
};

Wanted WantedLabel(const oci::Process& process, const std::string& lsm_profile) {
  if (!lsm_profile.empty()) {
    std::string_view given = lsm_profile;
    size_t colon = given.find(':');
    return {"--lsm-profile", given.substr(0, colon), given.substr(colon + 1)};
  }
  if (!process.selinux_label.empty())
    return {"process.selinuxLabel", "selinux", process.selinux_label};
  return {"process.apparmorProfile", "apparmor", process.apparmor_profile};
}

bool IsSet(std::string_view label) { return !label.empty() && label != "unconfined"; }

}  // namespace

Status CheckProfileLoaded(const oci::Process& process, const std::string& lsm_profile) {
  auto wanted = WantedLabel(process, lsm_profile);
  if (!IsSet(wanted.label) || wanted.module != "apparmor") return {};
  // A stack of profiles, or one of another namespace, is listed in other words.
  if (wanted.label.find_first_of(":&") != wanted.label.npos) return {};
  auto profiles = sys::ReadFileAt(AT_FDCWD, kProfiles);
  if (!profiles) return {};  // criu looks there too, and restores no profile where it cannot
  auto lines = Split(*profiles, '\n');
  bool loaded = std::ranges::any_of(
      lines, [&](std::string_view line) { return WithoutMode(line) == wanted.label; });
  if (loaded) return {};
  return Fail(
      ErrorKind::kNotFound,
      StrCat(wanted.source, ": expected a profile that is loaded, found ", Quote(wanted.label)));
}

Status CheckRestoredLabel(const oci::Process& process, const std::string& lsm_profile, pid_t pid) {
  auto wanted = WantedLabel(process, lsm_profile);
  if (!IsSet(wanted.label)) return {};
  std::string own = TRY(LabelOf("self"));
  std::string theirs = TRY(LabelOf(StrCat(pid)));
  if (theirs != own || wanted.label == own) return {};
  return Fail(ErrorKind::kUnsupported,
              StrCat(wanted.source, ": expected the process to have ", Quote(wanted.label),
                     ", found criu's own label ", Quote(own),
                     ": the images hold none, or criu was built without this security module"));
}

Status LabelQueues(const oci::Config& config, const std::string& label, pid_t pid) {
  if (label.empty()) return {};
  Fd root = TRY(sys::Open(StrCat("/proc/", pid, "/root"), O_PATH | O_DIRECTORY));
  for (const auto& mount : config.mounts) {
    if (mount.type != "mqueue") continue;
    Fd queues = TRY(sys::OpenInRoot(root.get(), mount.destination));
    TRY_CONTEXT(sys::LabelQueues(queues.get(), label), "linux.mountLabel");
  }
  return {};
}

}  // namespace kiste::runtime
