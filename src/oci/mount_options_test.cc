// SPDX-License-Identifier: Apache-2.0
#include "oci/mount_options.h"

#include <gtest/gtest.h>
#include <linux/mount.h>

#include <algorithm>

namespace kiste::oci {

namespace {

Mount Apply(const std::vector<std::string>& options) {
  Mount mount;
  ApplyMountOptions(options, mount);
  return mount;
}

}  // namespace

TEST(MountOptions, SetAndClearAttributes) {
  Mount mount = Apply({"nosuid", "nodev", "noexec", "ro", "nosymfollow", "nodiratime"});
  EXPECT_EQ(mount.attr_set,
            uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY |
                     MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_NODIRATIME});
  EXPECT_EQ(mount.attr_clear, 0u);
  mount = Apply({"suid", "dev", "exec", "rw", "symfollow", "diratime"});
  EXPECT_EQ(mount.attr_set, 0u);
  EXPECT_EQ(mount.attr_clear,
            uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY |
                     MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_NODIRATIME});
}

TEST(MountOptions, TheLaterOneWins) {
  Mount mount = Apply({"ro", "nosuid", "rw"});
  EXPECT_EQ(mount.attr_set, uint64_t{MOUNT_ATTR_NOSUID});
  EXPECT_EQ(mount.attr_clear, uint64_t{MOUNT_ATTR_RDONLY});
  mount = Apply({"rrw", "rro"});
  EXPECT_EQ(mount.rec_attr_set, uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(mount.rec_attr_clear, 0u);
  mount = Apply({"sync", "async", "async", "dirsync"});
  EXPECT_EQ(mount.super_flags, uint32_t{MS_DIRSYNC});
  EXPECT_EQ(mount.super_flags_clear, uint32_t{MS_SYNCHRONOUS});
}

TEST(MountOptions, KeepRecursiveAttributesApart) {
  Mount mount = Apply({"ro", "rnosuid", "rnodev", "rnoexec", "rnosymfollow", "rrw", "rdiratime"});
  EXPECT_EQ(mount.attr_set, uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(mount.rec_attr_set, uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                                         MOUNT_ATTR_NOSYMFOLLOW});
  EXPECT_EQ(mount.rec_attr_clear, uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODIRATIME});
}

// One field of several values: whoever sets one must clear the field.
TEST(MountOptions, TreatTheAccessTimeAsOneField) {
  struct Case {
    std::vector<std::string> options;
    uint64_t set;
  };
  for (const auto& [options, set] :
       std::vector<Case>{{{"noatime"}, MOUNT_ATTR_NOATIME},
                         {{"strictatime"}, MOUNT_ATTR_STRICTATIME},
                         {{"relatime"}, 0},
                         {{"atime"}, 0},
                         {{"norelatime"}, 0},
                         {{"noatime", "strictatime"}, MOUNT_ATTR_STRICTATIME},
                         {{"noatime", "relatime"}, 0},
                         {{"noatime", "atime"}, 0},
                         {{"strictatime", "atime"}, MOUNT_ATTR_STRICTATIME},
                         {{"strictatime", "nostrictatime"}, 0},
                         {{"noatime", "norelatime"}, MOUNT_ATTR_NOATIME}}) {
    Mount mount = Apply(options);
    EXPECT_EQ(mount.attr_set, set) << options.back();
    EXPECT_EQ(mount.attr_clear, uint64_t{MOUNT_ATTR__ATIME}) << options.back();
    std::vector<std::string> recursive;
    for (const auto& option : options) recursive.push_back("r" + option);
    mount = Apply(recursive);
    EXPECT_EQ(mount.rec_attr_set, set) << recursive.back();
    EXPECT_EQ(mount.rec_attr_clear, uint64_t{MOUNT_ATTR__ATIME}) << recursive.back();
    EXPECT_EQ(mount.attr_clear, 0u) << recursive.back();
  }
}

TEST(MountOptions, SetSuperblockFlags) {
  Mount mount = Apply({"sync", "dirsync", "mand", "lazytime", "silent", "iversion"});
  EXPECT_EQ(mount.super_flags, uint32_t{MS_SYNCHRONOUS | MS_DIRSYNC | MS_MANDLOCK | MS_LAZYTIME |
                                        MS_SILENT | MS_I_VERSION});
  mount = Apply({"async", "nomand", "nolazytime", "loud", "noiversion"});
  EXPECT_EQ(mount.super_flags, 0u);
  EXPECT_EQ(mount.super_flags_clear,
            uint32_t{MS_SYNCHRONOUS | MS_MANDLOCK | MS_LAZYTIME | MS_SILENT | MS_I_VERSION});
}

TEST(MountOptions, KeepPropagationsInOrder) {
  EXPECT_EQ(
      Apply({"rslave", "shared", "private", "runbindable"}).propagation,
      (std::vector<uint32_t>{MS_REC | MS_SLAVE, MS_SHARED, MS_PRIVATE, MS_REC | MS_UNBINDABLE}));
}

TEST(MountOptions, KnowBindsRemountsAndOurOwn) {
  Mount mount = Apply({"bind"});
  EXPECT_TRUE(mount.bind);
  EXPECT_FALSE(mount.recursive_bind);
  mount = Apply({"rbind", "remount", "tmpcopyup", "ridmap"});
  EXPECT_TRUE(mount.bind && mount.recursive_bind && mount.remount && mount.tmpcopyup);
  EXPECT_TRUE(mount.idmap && mount.idmap_recursive);
  EXPECT_FALSE(Apply({"idmap"}).idmap_recursive);
}

TEST(MountOptions, LeaveTheRestToTheFileSystem) {
  EXPECT_EQ(Apply({"size=5", "defaults", "ro", "", "mode=755", "RO"}).data, "size=5,mode=755,RO");
}

// config.md, "Linux mount options".
TEST(MountOptions, KnowTheWholeTableOfTheSpecification) {
  const auto known = KnownMountOptions();
  for (const char* name :
       {"async",          "atime",      "bind",         "defaults",    "dev",
        "diratime",       "dirsync",    "exec",         "iversion",    "lazytime",
        "loud",           "mand",       "noatime",      "nodev",       "nodiratime",
        "noexec",         "noiversion", "nolazytime",   "nomand",      "norelatime",
        "nostrictatime",  "nosuid",     "nosymfollow",  "private",     "ratime",
        "rbind",          "rdev",       "rdiratime",    "relatime",    "remount",
        "rexec",          "rnoatime",   "rnodiratime",  "rnoexec",     "rnorelatime",
        "rnostrictatime", "rnosuid",    "rnosymfollow", "ro",          "rprivate",
        "rrelatime",      "rro",        "rrw",          "rshared",     "rslave",
        "rstrictatime",   "rsuid",      "rsymfollow",   "runbindable", "rw",
        "shared",         "silent",     "slave",        "strictatime", "suid",
        "symfollow",      "sync",       "tmpcopyup",    "unbindable",  "idmap",
        "ridmap"}) {
    EXPECT_TRUE(std::ranges::binary_search(known, name)) << name;
    EXPECT_EQ(Apply({name}).data, "") << name;
  }
}

}  // namespace kiste::oci
