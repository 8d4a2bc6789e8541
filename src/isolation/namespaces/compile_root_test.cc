// SPDX-License-Identifier: Apache-2.0
//
// The container's file system as operations (compile_root.cc).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstring>

#include "isolation/namespaces/compile.h"

namespace kiste::isolation {

namespace {

using launcher::MountBlock;
using launcher::Op;
using launcher::Operation;

// The operations for a root, read back as the launcher reads them.
struct RootSteps {
  explicit RootSteps(const RootPlan& root) {
    CompileRoot(root, builder);
    CompileDeviceNodes(root, builder);
    CompileRootEnd(root, builder);
    block = builder.Finish(900, 901);
    launcher::Program header;
    std::memcpy(&header, block.data(), sizeof header);
    list.resize(header.operation_count);
    std::memcpy(list.data(), block.data() + header.operations,
                header.operation_count * sizeof(Operation));
  }
  std::vector<Operation> All(Op op) const {
    std::vector<Operation> found;
    for (const auto& operation : list) {
      if (operation.op == op) found.push_back(operation);
    }
    return found;
  }
  Operation Only(Op op) const {
    auto found = All(op);
    EXPECT_EQ(found.size(), 1u) << static_cast<unsigned>(op);
    return found.empty() ? Operation{} : found[0];
  }
  template <typename T>
  T Data(launcher::Offset offset, size_t index = 0) const {
    T value;
    std::memcpy(&value, block.data() + offset + index * sizeof value, sizeof value);
    return value;
  }
  MountBlock Block(const Operation& op) const { return Data<MountBlock>(op.data); }
  std::string Text(launcher::Offset offset) const {
    return offset == 0 ? "" : block.data() + offset;
  }

  ProgramBuilder builder;
  std::string block;
  std::vector<Operation> list;
};

RootPlan Root() {
  RootPlan root;
  root.path = "/rootfs";
  root.host_propagation = MS_SLAVE | MS_REC;
  return root;
}

MountStep Bind(const std::string& source, const std::string& destination) {
  MountStep step;
  step.mount.type = "bind";
  step.mount.source = source;
  step.mount.destination = destination;
  step.mount.bind = true;
  return step;
}

MountStep FileSystem(const std::string& type, const std::string& destination) {
  MountStep step;
  step.mount.type = step.mount.source = type;
  step.mount.destination = destination;
  return step;
}

}  // namespace

TEST(CompileRoot, HostPropagationFirstThenTheRootAsAMount) {
  RootPlan root = Root();
  RootSteps steps(root);
  EXPECT_EQ(steps.list[0].op, Op::kPropagation);
  EXPECT_EQ(steps.list[0].a, static_cast<uint64_t>(MS_SLAVE | MS_REC));
  Operation made = steps.Only(Op::kRoot);
  EXPECT_EQ(made.flags, launcher::kRecursive);
  EXPECT_EQ(made.fd, -1);
  EXPECT_EQ(made.a, 0u);
  EXPECT_EQ(steps.Only(Op::kPivot).flags, 0u);
  EXPECT_EQ(steps.Only(Op::kPivot).a, 0u);
}

TEST(CompileRoot, SharedHostMountsAreToldToRootAndPivot) {
  RootPlan root = Root();
  root.host_propagation = MS_SHARED | MS_REC;
  root.no_pivot = true;
  RootSteps steps(root);
  EXPECT_EQ(steps.Only(Op::kRoot).a, 1u);
  EXPECT_EQ(steps.Only(Op::kPivot).a, 1u);
  EXPECT_EQ(steps.Only(Op::kPivot).flags, launcher::kNoPivot);
}

TEST(CompileRoot, TreeOfTheRootIsInherited) {
  RootPlan root = Root();
  root.tree = Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  RootSteps steps(root);
  EXPECT_EQ(steps.Only(Op::kRoot).fd, root.tree.get());
  EXPECT_EQ(steps.builder.inherited()[0], root.tree.get());
}

TEST(CompileRoot, WithoutAMountNamespaceOnlyAChroot) {
  RootPlan root = Root();
  root.private_mounts = root.own_mount = false;
  RootSteps steps(root);
  EXPECT_TRUE(steps.All(Op::kPropagation).empty());
  EXPECT_TRUE(steps.All(Op::kPivot).empty());
  EXPECT_EQ(steps.Only(Op::kRoot).flags, 0u);
  EXPECT_EQ(steps.list.back().op, Op::kChroot);
  EXPECT_EQ(steps.list.back().fd, -1);
}

TEST(CompileRoot, MountsInTheHostsNamespaceLieOnAMountOfTheRoot) {
  RootPlan root = Root();
  root.private_mounts = false;
  root.readonly = true;
  root.host_propagation = MS_SHARED | MS_REC;
  RootSteps steps(root);
  EXPECT_TRUE(steps.All(Op::kPropagation).empty());
  EXPECT_TRUE(steps.All(Op::kPivot).empty());
  EXPECT_EQ(steps.Only(Op::kRoot).flags, launcher::kRecursive);
  EXPECT_EQ(steps.Only(Op::kRoot).a, 0u);  // nothing of the host's changes its propagation
  EXPECT_EQ(steps.All(Op::kChroot).size(), 1u);
  EXPECT_EQ(steps.list.back().op, Op::kRootAttributes);
}

TEST(CompileRoot, ReadonlyAndPropagationComeAfterThePivot) {
  RootPlan root = Root();
  root.readonly = true;
  root.propagation = MS_SHARED;
  RootSteps steps(root);
  EXPECT_EQ(steps.list.back().op, Op::kRootAttributes);
  EXPECT_EQ(steps.list.back().a, static_cast<uint64_t>(MOUNT_ATTR_RDONLY));
  EXPECT_EQ(steps.list.back().b, static_cast<uint64_t>(MS_SHARED));
  root.readonly = false;
  EXPECT_EQ(RootSteps(root).list.back().a, 0u);
  root.propagation = 0;
  EXPECT_EQ(RootSteps(root).list.back().op, Op::kPivot);
}

TEST(CompileRoot, MountsKeepTheirOrder) {
  RootPlan root = Root();
  root.mounts.push_back(FileSystem("proc", "/proc"));
  root.mounts.push_back(Bind("/a", "/b"));
  root.mounts.push_back(FileSystem("tmpfs", "/b/c"));
  RootSteps steps(root);
  ASSERT_GE(steps.list.size(), 5u);
  EXPECT_EQ(steps.list[2].op, Op::kFileSystem);
  EXPECT_EQ(steps.list[3].op, Op::kBind);
  EXPECT_EQ(steps.Text(steps.Block(steps.list[4]).destination), "/b/c");
}

TEST(CompileRoot, EveryFieldOfAMountReachesTheLauncher) {
  RootPlan root = Root();
  MountStep step = FileSystem("ext4", "/data");
  step.mount.source = "/dev/sda";
  step.mount.data = "noload,ro";
  step.mount.super_flags = 1;
  step.mount.super_flags_clear = 2;
  step.mount.attr_set = 4;
  step.mount.attr_clear = 8;
  step.mount.rec_attr_set = 16;
  step.mount.rec_attr_clear = 32;
  step.mount.propagation = {MS_SHARED, MS_PRIVATE | MS_REC};
  step.mount.tmpcopyup = true;
  step.no_symlinks = step.inside_proc = step.over_proc_allowed = true;
  step.fallback_bind_source = "/fallback";
  root.mounts.push_back(std::move(step));
  RootSteps steps(root);
  Operation op = steps.Only(Op::kFileSystem);
  EXPECT_EQ(op.flags, launcher::kNoSymlinks | launcher::kInsideProc | launcher::kOverProcAllowed |
                          launcher::kCopyUp);
  MountBlock block = steps.Block(op);
  EXPECT_EQ(steps.Text(block.type), "ext4");
  EXPECT_EQ(steps.Text(block.source), "/dev/sda");
  EXPECT_EQ(steps.Text(block.destination), "/data");
  EXPECT_EQ(steps.Text(block.options), "noload,ro");
  EXPECT_EQ(steps.Text(block.fallback), "/fallback");
  EXPECT_EQ(block.super_flags, 1u);
  EXPECT_EQ(block.super_flags_clear, 2u);
  EXPECT_EQ(block.attr_set, 4u);
  EXPECT_EQ(block.attr_clear, 8u);
  EXPECT_EQ(block.rec_attr_set, 16u);
  EXPECT_EQ(block.rec_attr_clear, 32u);
  ASSERT_EQ(block.propagation_count, 2u);
  EXPECT_EQ(block.propagation[0], static_cast<uint32_t>(MS_SHARED));
  EXPECT_EQ(block.propagation[1], static_cast<uint32_t>(MS_PRIVATE | MS_REC));
}

TEST(CompileRoot, OnlyTheLastPropagationsFit) {
  RootPlan root = Root();
  MountStep step = Bind("/a", "/b");
  step.mount.propagation = {1, 2, 3, 4, 5, 6};
  root.mounts.push_back(std::move(step));
  MountBlock block = RootSteps(root).Block(RootSteps(root).Only(Op::kBind));
  EXPECT_EQ(block.propagation_count, 4u);
  EXPECT_EQ(block.propagation[0], 3u);
  EXPECT_EQ(block.propagation[3], 6u);
}

TEST(CompileRoot, BindsAreRecursiveOrNotAndMayBringTheirTree) {
  RootPlan root = Root();
  root.mounts.push_back(Bind("/a", "/a"));
  root.mounts.push_back(Bind("/b", "/b"));
  root.mounts[1].mount.recursive_bind = true;
  root.mounts[1].source_tree = Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  RootSteps steps(root);
  auto binds = steps.All(Op::kBind);
  ASSERT_EQ(binds.size(), 2u);
  EXPECT_EQ(binds[0].flags, 0u);
  EXPECT_EQ(binds[0].fd, -1);
  EXPECT_EQ(binds[1].flags, launcher::kRecursive);
  EXPECT_EQ(binds[1].fd, root.mounts[1].source_tree.get());
  EXPECT_EQ(steps.builder.inherited()[0], root.mounts[1].source_tree.get());
}

TEST(CompileRoot, RemountOfABindLeavesTheFileSystemAlone) {
  RootPlan root = Root();
  root.mounts.push_back(Bind("", "/a"));
  root.mounts[0].mount.remount = true;
  EXPECT_EQ(RootSteps(root).Only(Op::kRemount).flags, launcher::kRecursive);
  root.mounts[0].mount.bind = false;
  EXPECT_EQ(RootSteps(root).Only(Op::kRemount).flags, 0u);
}

TEST(CompileRoot, LinksAmongMounts) {
  RootPlan root = Root();
  MountStep step;
  step.link_target = "cpu,cpuacct";
  step.mount.destination = "/sys/fs/cgroup/cpu";
  root.mounts.push_back(std::move(step));
  RootSteps steps(root);
  Operation link = steps.Only(Op::kSymlink);
  EXPECT_EQ(steps.Text(link.text), "cpu,cpuacct");
  EXPECT_EQ(steps.Text(link.text2), "/sys/fs/cgroup/cpu");
  EXPECT_TRUE(steps.All(Op::kFileSystem).empty());
}

TEST(CompileRoot, ReadOnlyAtOnceForAllButTmpfsAndDev) {
  RootPlan root = Root();
  root.mounts.push_back(FileSystem("sysfs", "/sys"));
  root.mounts.push_back(Bind("/a", "/dev"));
  for (auto& step : root.mounts) step.mount.attr_set = MOUNT_ATTR_RDONLY;
  RootSteps steps(root);
  EXPECT_TRUE(steps.All(Op::kSeal).empty());
  EXPECT_EQ(steps.Block(steps.Only(Op::kFileSystem)).attr_set,
            static_cast<uint64_t>(MOUNT_ATTR_RDONLY));
  EXPECT_EQ(steps.Block(steps.Only(Op::kBind)).attr_set, static_cast<uint64_t>(MOUNT_ATTR_RDONLY));
}

TEST(CompileRoot, EveryLateReadOnlyMountIsSealed) {
  RootPlan root = Root();
  root.mounts.push_back(FileSystem("tmpfs", "/tmp"));
  root.mounts.push_back(FileSystem("tmpfs", "/run"));
  root.mounts.push_back(FileSystem("devtmpfs", "/dev"));
  for (auto& step : root.mounts) step.mount.attr_set = MOUNT_ATTR_RDONLY;
  root.mounts[1].mount.attr_set = 0;
  RootSteps steps(root);
  auto mounts = steps.All(Op::kFileSystem);
  ASSERT_EQ(mounts.size(), 3u);
  for (size_t i : {0u, 2u}) {
    EXPECT_EQ(mounts[i].flags, launcher::kSealLater);
    EXPECT_EQ(steps.Block(mounts[i]).attr_set, 0u);
  }
  EXPECT_EQ(mounts[1].flags, 0u);
  EXPECT_EQ(steps.All(Op::kSeal).size(), 1u);
}

TEST(CompileRoot, DeviceNodesOrBinds) {
  RootPlan root = Root();
  root.devices.push_back({"/dev/x", S_IFBLK | 0640, 259, 70000, 11, 12});
  RootSteps steps(root);
  Operation made = steps.Only(Op::kMknod);
  EXPECT_EQ(steps.Text(made.text), "/dev/x");
  EXPECT_EQ(made.a, static_cast<uint64_t>(S_IFBLK | 0640));
  EXPECT_EQ(made.b, makedev(259, 70000));
  EXPECT_EQ(steps.Data<uint32_t>(made.data, 0), 11u);
  EXPECT_EQ(steps.Data<uint32_t>(made.data, 1), 12u);
  root.bind_devices = true;
  RootSteps bound(root);
  EXPECT_TRUE(bound.All(Op::kMknod).empty());
  EXPECT_EQ(bound.Text(bound.Only(Op::kBindDevice).text), "/dev/x");
}

TEST(CompileRoot, WhatMustBeInADevicesPlace) {
  RootPlan root = Root();
  root.devices.push_back({"/dev/x", S_IFBLK | 0640, 259, 70000, 0, 0});
  EXPECT_EQ(RootSteps(root).Only(Op::kMknod).text2, 0u);
  root.devices[0].must_match = true;
  RootSteps steps(root);
  EXPECT_EQ(steps.Text(steps.Only(Op::kMknod).text2), "block device 259:70000");
  root.bind_devices = true;
  RootSteps bound(root);
  EXPECT_EQ(bound.Text(bound.Only(Op::kBindDevice).text2),
            "block device 259:70000 or an empty file");
  EXPECT_EQ(bound.Only(Op::kBindDevice).b, makedev(259, 70000));
  root.bind_devices = false;
  root.devices[0].mode = S_IFIFO | 0600;
  RootSteps fifo(root);
  EXPECT_EQ(fifo.Text(fifo.Only(Op::kMknod).text2), "a FIFO");
}

TEST(CompileRoot, EveryMaskedAndReadonlyPath) {
  RootPlan root = Root();
  root.masked_paths = {"/proc/kcore", "/proc/keys"};
  root.readonly_paths = {"/proc/sys", "/proc/bus", "/proc/fs"};
  RootSteps steps(root);
  Operation mask = steps.Only(Op::kMask);
  ASSERT_EQ(mask.data_count, 2u);
  EXPECT_EQ(steps.Text(steps.Data<uint32_t>(mask.data, 1)), "/proc/keys");
  EXPECT_EQ(steps.All(Op::kReadonlyPath).size(), 3u);
}

// A change of mounts ends by itself, and what it added can be taken back.
TEST(CompileMountChange, AddsFindsAndFinishes) {
  MountChange change;
  change.add.push_back(Bind("/source", "/a"));
  change.remove = {"/b", "/c"};
  ProgramBuilder builder;
  CompileMountChange(change, builder);
  std::string block = builder.Finish(900, 901);
  launcher::Program header;
  std::memcpy(&header, block.data(), sizeof header);
  std::vector<Operation> list(header.operation_count);
  std::memcpy(list.data(), block.data() + header.operations, list.size() * sizeof(Operation));
  ASSERT_EQ(list.size(), 5u);
  EXPECT_EQ(list[0].op, Op::kBind);
  EXPECT_NE(list[0].flags & launcher::kUndo, 0u);
  EXPECT_EQ(list[1].op, Op::kFindMount);
  EXPECT_EQ(list[2].op, Op::kFindMount);
  EXPECT_EQ(list[3].op, Op::kUnmount);
  EXPECT_EQ(list[4].op, Op::kFinish);
}

TEST(CompileMountChange, ReadOnlyAtOnce) {
  MountChange change;
  change.add.push_back(FileSystem("tmpfs", "/a"));
  change.add[0].mount.attr_set = MOUNT_ATTR_RDONLY;
  ProgramBuilder builder;
  CompileMountChange(change, builder);
  std::string block = builder.Finish(900, 901);
  launcher::Program header;
  std::memcpy(&header, block.data(), sizeof header);
  Operation added;
  std::memcpy(&added, block.data() + header.operations, sizeof added);
  MountBlock mount;
  std::memcpy(&mount, block.data() + added.data, sizeof mount);
  EXPECT_EQ(added.flags, launcher::kUndo);
  EXPECT_EQ(mount.attr_set, static_cast<uint64_t>(MOUNT_ATTR_RDONLY));
}

}  // namespace kiste::isolation
