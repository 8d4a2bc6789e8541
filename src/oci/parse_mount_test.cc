// SPDX-License-Identifier: Apache-2.0
//
// mounts, with the mappings of parse_id_mappings.cc.
#include <gtest/gtest.h>
#include <linux/mount.h>

#include "oci/config_text.h"

namespace kiste::oci {

namespace {

Mount MustParseMount(const std::string& members) {
  auto config = MustParse(WithMount(members));
  return config.mounts.empty() ? Mount{} : config.mounts[0];
}

std::string WithMappings(const std::string& uids, const std::string& gids) {
  return WithMount(StrCat(R"("destination": "/a", "source": "/a", "options": ["bind"], )",
                          R"("uidMappings": [)", uids, R"(], "gidMappings": [)", gids, "]"));
}

}  // namespace

TEST(Mount, ReadsAFileSystem) {
  Mount mount = MustParseMount(R"("destination": "/dev", "type": "tmpfs", "source": "tmpfs",
                                  "options": ["nosuid", "mode=755", "size=65536k"])");
  EXPECT_EQ(mount.destination, "/dev");
  EXPECT_EQ(mount.type, "tmpfs");
  EXPECT_EQ(mount.source, "tmpfs");
  EXPECT_EQ(mount.data, "mode=755,size=65536k");
  EXPECT_EQ(mount.attr_set, uint64_t{MOUNT_ATTR_NOSUID});
  EXPECT_FALSE(mount.bind);
}

TEST(Mount, TakesBindsHoweverTheyAreWritten) {
  for (const char* how : {R"("type": "none", "options": ["rbind"])", R"("options": ["bind"])",
                          R"("type": "bind")", R"("type": "bind", "options": ["rbind", "ro"])"}) {
    Mount mount = MustParseMount(StrCat(R"("destination": "/a", "source": "data", )", how));
    EXPECT_TRUE(mount.bind) << how;
    EXPECT_EQ(mount.type, "bind") << how;
    EXPECT_EQ(mount.source, "data") << how;
  }
}

// podman 4.3 leaves "nocopy" there; the kernel never looks at it.
TEST(Mount, LetsABindHaveWordsOfNoUse) {
  Mount mount = MustParseMount(
      R"("destination": "/a", "type": "bind", "source": "/a", "options": ["rbind", "nocopy"])");
  EXPECT_TRUE(mount.bind);
  EXPECT_EQ(mount.data, "nocopy");
}

TEST(Mount, OptionsForLinksAreForBinds) {
  Mount mount = MustParseMount(
      R"("destination": "/a", "source": "/a", "options": ["bind", "src-nofollow", "dest-nofollow"])");
  EXPECT_TRUE(mount.source_nofollow && mount.destination_nofollow && !mount.copy_symlink);
  EXPECT_EQ(mount.data, "");
  for (const char* wrong :
       {R"("type": "tmpfs", "options": ["copy-symlink"])",
        R"("source": "/a", "options": ["bind", "copy-symlink", "src-nofollow"])"}) {
    EXPECT_FALSE(ParseConfig(WithMount(StrCat(R"("destination": "/a", )", wrong)), "config.json"))
        << wrong;
  }
}

TEST(Mount, ListsOfMountsAlone) {
  EXPECT_EQ(ParseMounts(R"([{"destination": "/a", "type": "tmpfs"}])", "f").value().size(), 1u);
  EXPECT_EQ(ParseMountDestinations(R"([{"destination": "a"}])", "f").value()[0], "/a");
  for (const char* wrong : {"{}", "[]", "[3]", R"([{"type": "tmpfs"}])"}) {
    EXPECT_FALSE(ParseMounts(wrong, "f")) << wrong;
    EXPECT_FALSE(ParseMountDestinations(wrong, "f")) << wrong;
  }
}

TEST(Mount, TakesARelativeDestinationFromTheRoot) {
  EXPECT_EQ(MustParseMount(R"("destination": "proc", "type": "proc")").destination, "/proc");
}

TEST(Mount, LetsARemountBeWithoutTypeAndSource) {
  EXPECT_TRUE(MustParseMount(R"("destination": "/", "options": ["remount", "ro"])").remount);
  EXPECT_TRUE(MustParseMount(R"("destination": "/", "options": ["remount", "bind"])").remount);
}

TEST(Mount, MapsIdsWhenMappingsAreGiven) {
  const std::string one = R"({"containerID": 0, "hostID": 1000, "size": 1})";
  Config config = MustParse(WithMappings(one, one));
  EXPECT_TRUE(config.mounts.at(0).idmap);
  EXPECT_FALSE(config.mounts[0].idmap_recursive);
  EXPECT_EQ(config.mounts[0].uid_mappings.at(0).host_id, 1000u);
  Config everything = MustParse(Seed("everything.json"));
  EXPECT_TRUE(everything.mounts.at(2).idmap_recursive);
}

TEST(Mount, RefusesWrongOnes) {
  ExpectRefusals({
      {WithTop(R"("mounts": [5])"), "mounts[0]: expected an object, found 5"},
      {WithMount(""), "mounts[0].destination: expected a string, found nothing"},
      {WithMount(R"("destination": "", "type": "proc")"),
       R"(mounts[0].destination: expected a string that is not empty, found "")"},
      {WithMount(R"("destination": "/a")"),
       "mounts[0].type: expected a file system's type, or the option bind or rbind, found nothing"},
      {WithMount(R"("destination": "/a", "type": 5)"),
       "mounts[0].type: expected a string, found 5"},
      {WithMount(R"("destination": "/a", "type": "bind")"),
       "mounts[0].source: expected the file or folder to bind, found nothing"},
      {WithMount(R"("destination": "/a", "type": "tmpfs", "options": "ro")"),
       R"(mounts[0].options: expected an array of strings, found "ro")"},
  });
}

TEST(Mount, RefusesWrongMappings) {
  const std::string good = R"({"containerID": 0, "hostID": 0, "size": 10})";
  ExpectRefusals({
      {WithMappings(R"({"containerID": 0, "hostID": 0})", good),
       "mounts[0].uidMappings[0].size: expected an unsigned number of 32 bits, found nothing"},
      {WithMappings(R"({"containerID": 0, "hostID": 0, "size": 0})", good),
       "mounts[0].uidMappings[0].size: expected at least 1, found 0"},
      {WithMappings(good, R"({"containerID": 4294967295, "hostID": 7, "size": 1})"),
       "mounts[0].gidMappings[0]: ids beyond 4294967294: containerID 4294967295, hostID 7, size 1"},
      {WithMappings(StrCat(good, R"(, {"containerID": 9, "hostID": 100, "size": 1})"), good),
       "mounts[0].uidMappings: two mappings share an id of the container"},
      {WithMappings(StrCat(R"({"containerID": 100, "hostID": 9, "size": 1}, )", good), good),
       "mounts[0].uidMappings: two mappings share an id of the host"},
  });
  EXPECT_FALSE(ParseConfig(WithMappings(good, ""), "c"));
  MustParse(WithMappings(StrCat(good, R"(, {"containerID": 10, "hostID": 10, "size": 4294967285})"),
                         good));
}

}  // namespace kiste::oci
