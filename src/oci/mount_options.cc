// SPDX-License-Identifier: Apache-2.0
#include "oci/mount_options.h"

#include <linux/mount.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace kiste::oci {

namespace {

enum class Effect {
  kNothing,
  kAttrSet,  // MOUNT_ATTR_* of this mount
  kAttrClear,
  kAtime,       // one value of the field MOUNT_ATTR__ATIME
  kNotAtime,    // back to the kernel's default, relatime, from that value
  kRecAttrSet,  // the same four for the whole tree
  kRecAttrClear,
  kRecAtime,
  kRecNotAtime,
  kSuperSet,  // MS_* of the superblock
  kSuperClear,
  kPropagation,
  kBind,
  kRbind,
  kRemount,
  kTmpcopyup,
  kIdmap,
  kRidmap,
  kCopySymlink,
  kSourceNoFollow,
  kDestinationNoFollow,
};

struct Option {
  std::string_view name;
  Effect effect;
  uint64_t bits = 0;
};

// In the order of the alphabet: searched by halves.
constexpr std::array kOptions = std::to_array<Option>({
    {"async", Effect::kSuperClear, MS_SYNCHRONOUS},
    {"atime", Effect::kNotAtime, MOUNT_ATTR_NOATIME},
    {"bind", Effect::kBind},
    {"copy-symlink", Effect::kCopySymlink},
    {"defaults", Effect::kNothing},
    {"dest-nofollow", Effect::kDestinationNoFollow},
    {"dev", Effect::kAttrClear, MOUNT_ATTR_NODEV},
    {"diratime", Effect::kAttrClear, MOUNT_ATTR_NODIRATIME},
    {"dirsync", Effect::kSuperSet, MS_DIRSYNC},
    {"exec", Effect::kAttrClear, MOUNT_ATTR_NOEXEC},
    {"idmap", Effect::kIdmap},
    {"iversion", Effect::kSuperSet, MS_I_VERSION},
    {"lazytime", Effect::kSuperSet, MS_LAZYTIME},
    {"loud", Effect::kSuperClear, MS_SILENT},
    {"mand", Effect::kSuperSet, MS_MANDLOCK},
    {"noatime", Effect::kAtime, MOUNT_ATTR_NOATIME},
    {"nodev", Effect::kAttrSet, MOUNT_ATTR_NODEV},
    {"nodiratime", Effect::kAttrSet, MOUNT_ATTR_NODIRATIME},
    {"noexec", Effect::kAttrSet, MOUNT_ATTR_NOEXEC},
    {"noiversion", Effect::kSuperClear, MS_I_VERSION},
    {"nolazytime", Effect::kSuperClear, MS_LAZYTIME},
    {"nomand", Effect::kSuperClear, MS_MANDLOCK},
    {"norelatime", Effect::kNotAtime, MOUNT_ATTR_RELATIME},
    {"nostrictatime", Effect::kNotAtime, MOUNT_ATTR_STRICTATIME},
    {"nosuid", Effect::kAttrSet, MOUNT_ATTR_NOSUID},
    {"nosymfollow", Effect::kAttrSet, MOUNT_ATTR_NOSYMFOLLOW},
    {"private", Effect::kPropagation, MS_PRIVATE},
    {"ratime", Effect::kRecNotAtime, MOUNT_ATTR_NOATIME},
    {"rbind", Effect::kRbind},
    {"rdev", Effect::kRecAttrClear, MOUNT_ATTR_NODEV},
    {"rdiratime", Effect::kRecAttrClear, MOUNT_ATTR_NODIRATIME},
    {"relatime", Effect::kAtime, MOUNT_ATTR_RELATIME},
    {"remount", Effect::kRemount},
    {"rexec", Effect::kRecAttrClear, MOUNT_ATTR_NOEXEC},
    {"ridmap", Effect::kRidmap},
    {"rnoatime", Effect::kRecAtime, MOUNT_ATTR_NOATIME},
    {"rnodev", Effect::kRecAttrSet, MOUNT_ATTR_NODEV},
    {"rnodiratime", Effect::kRecAttrSet, MOUNT_ATTR_NODIRATIME},
    {"rnoexec", Effect::kRecAttrSet, MOUNT_ATTR_NOEXEC},
    {"rnorelatime", Effect::kRecNotAtime, MOUNT_ATTR_RELATIME},
    {"rnostrictatime", Effect::kRecNotAtime, MOUNT_ATTR_STRICTATIME},
    {"rnosuid", Effect::kRecAttrSet, MOUNT_ATTR_NOSUID},
    {"rnosymfollow", Effect::kRecAttrSet, MOUNT_ATTR_NOSYMFOLLOW},
    {"ro", Effect::kAttrSet, MOUNT_ATTR_RDONLY},
    {"rprivate", Effect::kPropagation, MS_REC | MS_PRIVATE},
    {"rrelatime", Effect::kRecAtime, MOUNT_ATTR_RELATIME},
    {"rro", Effect::kRecAttrSet, MOUNT_ATTR_RDONLY},
    {"rrw", Effect::kRecAttrClear, MOUNT_ATTR_RDONLY},
    {"rshared", Effect::kPropagation, MS_REC | MS_SHARED},
    {"rslave", Effect::kPropagation, MS_REC | MS_SLAVE},
    {"rstrictatime", Effect::kRecAtime, MOUNT_ATTR_STRICTATIME},
    {"rsuid", Effect::kRecAttrClear, MOUNT_ATTR_NOSUID},
    {"rsymfollow", Effect::kRecAttrClear, MOUNT_ATTR_NOSYMFOLLOW},
    {"runbindable", Effect::kPropagation, MS_REC | MS_UNBINDABLE},
    {"rw", Effect::kAttrClear, MOUNT_ATTR_RDONLY},
    {"shared", Effect::kPropagation, MS_SHARED},
    {"silent", Effect::kSuperSet, MS_SILENT},
    {"slave", Effect::kPropagation, MS_SLAVE},
    {"src-nofollow", Effect::kSourceNoFollow},
    {"strictatime", Effect::kAtime, MOUNT_ATTR_STRICTATIME},
    {"suid", Effect::kAttrClear, MOUNT_ATTR_NOSUID},
    {"symfollow", Effect::kAttrClear, MOUNT_ATTR_NOSYMFOLLOW},
    {"sync", Effect::kSuperSet, MS_SYNCHRONOUS},
    {"tmpcopyup", Effect::kTmpcopyup},
    {"unbindable", Effect::kPropagation, MS_UNBINDABLE},
});
static_assert(std::ranges::is_sorted(kOptions, {}, &Option::name));

const Option* FindOption(std::string_view name) {
  auto at = std::ranges::lower_bound(kOptions, name, {}, &Option::name);
  return at != kOptions.end() && at->name == name ? &*at : nullptr;
}

// Bits to set and bits to clear, the later option winning.
template <typename T>
void Move(T bits, T& to, T& from) {
  to |= bits;
  from &= ~bits;
}

// The access time is one field of several values: mount_setattr(2) wants the whole field among
// the bits to clear whenever it is touched.
void SetAtime(uint64_t value, uint64_t& set, uint64_t& clear) {
  set = (set & ~uint64_t{MOUNT_ATTR__ATIME}) | value;
  clear |= MOUNT_ATTR__ATIME;
}

void UnsetAtime(uint64_t value, uint64_t& set, uint64_t& clear) {
  if ((set & MOUNT_ATTR__ATIME) == value) set &= ~uint64_t{MOUNT_ATTR__ATIME};
  clear |= MOUNT_ATTR__ATIME;
}

void Apply(const Option& option, Mount& mount) {
  const auto flags = static_cast<uint32_t>(option.bits);
  switch (option.effect) {
    case Effect::kNothing:
      return;
    case Effect::kAttrSet:
      return Move(option.bits, mount.attr_set, mount.attr_clear);
    case Effect::kAttrClear:
      return Move(option.bits, mount.attr_clear, mount.attr_set);
    case Effect::kAtime:
      return SetAtime(option.bits, mount.attr_set, mount.attr_clear);
    case Effect::kNotAtime:
      return UnsetAtime(option.bits, mount.attr_set, mount.attr_clear);
    case Effect::kRecAttrSet:
      return Move(option.bits, mount.rec_attr_set, mount.rec_attr_clear);
    case Effect::kRecAttrClear:
      return Move(option.bits, mount.rec_attr_clear, mount.rec_attr_set);
    case Effect::kRecAtime:
      return SetAtime(option.bits, mount.rec_attr_set, mount.rec_attr_clear);
    case Effect::kRecNotAtime:
      return UnsetAtime(option.bits, mount.rec_attr_set, mount.rec_attr_clear);
    case Effect::kSuperSet:
      return Move(flags, mount.super_flags, mount.super_flags_clear);
    case Effect::kSuperClear:
      return Move(flags, mount.super_flags_clear, mount.super_flags);
    case Effect::kPropagation:
      mount.propagation.push_back(flags);
      return;
    case Effect::kRbind:
      mount.recursive_bind = true;
      [[fallthrough]];
    case Effect::kBind:
      mount.bind = true;
      return;
    case Effect::kRemount:
      mount.remount = true;
      return;
    case Effect::kTmpcopyup:
      mount.tmpcopyup = true;
      return;
    case Effect::kRidmap:
      mount.idmap_recursive = true;
      [[fallthrough]];
    case Effect::kIdmap:
      mount.idmap = true;
      return;
    case Effect::kCopySymlink:
      mount.copy_symlink = true;
      return;
    case Effect::kSourceNoFollow:
      mount.source_nofollow = true;
      return;
    case Effect::kDestinationNoFollow:
      mount.destination_nofollow = true;
      return;
  }
}

}  // namespace

void ApplyMountOptions(const std::vector<std::string>& options, Mount& mount) {
  for (const auto& name : options) {
    if (const Option* option = FindOption(name)) {
      Apply(*option, mount);
    } else if (!name.empty()) {
      if (!mount.data.empty()) mount.data += ',';
      mount.data += name;
    }
  }
}

std::vector<std::string> KnownMountOptions() {
  std::vector<std::string> names;
  names.reserve(kOptions.size());
  for (const auto& option : kOptions) names.emplace_back(option.name);
  return names;
}

}  // namespace kiste::oci
