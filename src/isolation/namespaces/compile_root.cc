// SPDX-License-Identifier: Apache-2.0
//
// The container's file system: its mounts in order, devices, then what is masked and the switch.
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "base/strings.h"
#include "isolation/namespaces/compile.h"

namespace kiste::isolation {

using launcher::MountBlock;
using launcher::Op;

namespace {

// With `undo` a later failure takes the mount away again.
enum class Undo { kNo, kYes };

// A tmpfs, or /dev, that shall be read-only becomes so at the end: mount points and devices are
// made in it first. Not in a container that has them.
bool ReadonlyLater(const oci::Mount& mount, Undo undo) {
  if (undo == Undo::kYes) return false;
  bool readonly = (mount.attr_set & MOUNT_ATTR_RDONLY) != 0;
  return readonly && !mount.bind && (mount.type == "tmpfs" || mount.destination == "/dev");
}

bool PivotsFromShared(const RootPlan& root) {
  return root.private_mounts && (root.host_propagation & MS_SHARED) != 0;
}

std::string Words(const oci::Mount& mount) {
  std::string_view verb = mount.remount ? "remount " : mount.bind ? "bind " : "mount ";
  return StrCat(verb, mount.bind || mount.type.empty() ? mount.source : mount.type, " on ",
                mount.destination);
}

launcher::Offset Block(const MountStep& step, bool seal_later, ProgramBuilder& builder) {
  const auto& mount = step.mount;
  MountBlock block{};
  block.type = builder.Text(mount.type);
  block.source = builder.Text(mount.source);
  block.destination = builder.Text(mount.destination);
  block.options = builder.Text(mount.data);
  block.fallback = builder.Text(step.fallback_bind_source);
  block.super_flags = mount.super_flags;
  block.super_flags_clear = mount.super_flags_clear;
  block.attr_set = mount.attr_set;
  block.attr_clear = mount.attr_clear;
  block.rec_attr_set = mount.rec_attr_set;
  block.rec_attr_clear = mount.rec_attr_clear;
  if (seal_later) block.attr_set &= ~static_cast<uint64_t>(MOUNT_ATTR_RDONLY);
  constexpr size_t kMost = std::size(MountBlock{}.propagation);
  // Only the last ones count when somebody gives more: each replaces the one before.
  size_t skip = mount.propagation.size() > kMost ? mount.propagation.size() - kMost : 0;
  for (size_t i = skip; i < mount.propagation.size(); ++i) {
    block.propagation[block.propagation_count++] = mount.propagation[i];
  }
  return builder.Struct(block);
}

void AddMount(const MountStep& step, Undo undo, ProgramBuilder& builder) {
  const auto& mount = step.mount;
  if (!step.link_target.empty()) {
    builder.Add({.op = Op::kSymlink,
                 .flags = mount.copy_symlink ? launcher::kSameLink : 0u,
                 .text = builder.Text(step.link_target),
                 .text2 = builder.Text(mount.destination)},
                StrCat("symlink ", mount.destination));
    return;
  }
  bool seal_later = ReadonlyLater(mount, undo);
  launcher::Operation operation{.data = Block(step, seal_later, builder)};
  if (seal_later) operation.flags |= launcher::kSealLater;
  if (undo == Undo::kYes) operation.flags |= launcher::kUndo;
  if (mount.source_nofollow) operation.flags |= launcher::kSourceNoFollow;
  if (mount.destination_nofollow) operation.flags |= launcher::kDestinationNoFollow;
  if (step.no_symlinks) operation.flags |= launcher::kNoSymlinks;
  if (step.inside_proc) operation.flags |= launcher::kInsideProc;
  if (step.over_proc_allowed) operation.flags |= launcher::kOverProcAllowed;
  if (mount.tmpcopyup) operation.flags |= launcher::kCopyUp;
  if (mount.remount) {
    operation.op = Op::kRemount;
    if (mount.bind)
      operation.flags |= launcher::kRecursive;  // the mount alone, not its file system
  } else if (mount.bind) {
    operation.op = Op::kBind;
    if (mount.recursive_bind) operation.flags |= launcher::kRecursive;
    if (step.source_tree) operation.fd = builder.Inherit(step.source_tree.get());
  } else {
    operation.op = Op::kFileSystem;
    operation.text = builder.Text(step.selinux_label);
  }
  builder.Add(operation, Words(mount));
}

}  // namespace

void CompileRoot(const RootPlan& root, ProgramBuilder& builder) {
  if (root.private_mounts) {
    builder.Add({.op = Op::kPropagation, .a = root.host_propagation}, "set the propagation of");
  }
  builder.Add({.op = Op::kRoot,
               .flags = root.own_mount ? launcher::kRecursive : 0u,
               .fd = root.tree ? builder.Inherit(root.tree.get()) : -1,
               .text = builder.Text(root.path),
               .a = PivotsFromShared(root) ? 1u : 0u},
              StrCat("root.path: bind ", root.path));
  for (const auto& step : root.mounts) AddMount(step, Undo::kNo, builder);
}

void CompileMountChange(const MountChange& change, ProgramBuilder& builder) {
  for (const auto& step : change.add) AddMount(step, Undo::kYes, builder);
  for (const auto& path : change.remove) {
    builder.Add({.op = Op::kFindMount, .text = builder.Text(path)},
                StrCat("find the mount ", path));
  }
  if (!change.remove.empty()) builder.Add({.op = Op::kUnmount}, "unmount");
  builder.Add({.op = Op::kFinish}, "tell that the mounts are changed");
}

namespace {

// What may be at the path of a device, in words; "" where anything may.
std::string ExpectedThere(const DeviceNode& device, bool bound) {
  if (!device.must_match) return {};
  std::string words = S_ISFIFO(device.mode) ? "a FIFO"
                                            : StrCat(S_ISBLK(device.mode) ? "block" : "character",
                                                     " device ", device.major, ":", device.minor);
  return bound ? StrCat(words, " or an empty file") : words;
}

}  // namespace

void CompileDeviceNodes(const RootPlan& root, ProgramBuilder& builder) {
  for (const auto& device : root.devices) {
    launcher::Operation operation{.op = root.bind_devices ? Op::kBindDevice : Op::kMknod,
                                  .text = builder.Text(device.path),
                                  .text2 = builder.Text(ExpectedThere(device, root.bind_devices)),
                                  .a = device.mode,
                                  .b = makedev(device.major, device.minor)};
    if (!root.bind_devices) operation.data = builder.Data(std::vector{device.uid, device.gid});
    builder.Add(operation, StrCat(root.bind_devices ? "bind device " : "mknod ", device.path));
  }
  for (const auto& link : root.dev_links) {
    builder.Add(
        {.op = Op::kSymlink, .text = builder.Text(link.target), .text2 = builder.Text(link.path)},
        StrCat("symlink ", link.path));
  }
}

void CompileRootEnd(const RootPlan& root, ProgramBuilder& builder) {
  bool seal = std::ranges::any_of(
      root.mounts, [](const MountStep& step) { return ReadonlyLater(step.mount, Undo::kNo); });
  if (seal) builder.Add({.op = Op::kSeal}, "make read-only");
  for (const auto& path : root.readonly_paths) {
    builder.Add({.op = Op::kReadonlyPath, .text = builder.Text(path)}, "linux.readonlyPaths");
  }
  if (!root.masked_paths.empty()) {
    builder.Add({.op = Op::kMask,
                 .text = builder.Text(root.mount_label),
                 .data = builder.TextList(root.masked_paths),
                 .data_count = static_cast<uint32_t>(root.masked_paths.size())},
                "linux.maskedPaths");
  }
  if (!root.private_mounts) {
    builder.Add({.op = Op::kChroot}, "chroot");
  } else {
    for (const auto& path : root.hidden_mounts) {
      builder.Add({.op = Op::kHideMount, .text = builder.Text(path)}, "hide the host's");
    }
    builder.Add({.op = Op::kPivot,
                 .flags = root.no_pivot ? launcher::kNoPivot : 0u,
                 .a = PivotsFromShared(root) ? 1u : 0u},
                root.no_pivot ? "move the root" : "pivot_root");
  }
  if (root.own_mount && (root.readonly || root.propagation != 0)) {
    builder.Add({.op = Op::kRootAttributes,
                 .a = root.readonly ? static_cast<uint64_t>(MOUNT_ATTR_RDONLY) : 0,
                 .b = root.propagation},
                "set the root's attributes");
  }
}

}  // namespace kiste::isolation
