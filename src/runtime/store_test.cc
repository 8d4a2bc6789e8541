// SPDX-License-Identifier: Apache-2.0
#include "runtime/store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::runtime {

namespace {

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / "kiste-store-XXXXXX";
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
    root_ = path_ + "/run/kiste";
  }
  void TearDown() override { std::filesystem::remove_all(path_); }
  Store Open() { return Store::Open(root_).value(); }
  std::string path_, root_;
};

using Ids = std::vector<std::string>;

}  // namespace

TEST(ContainerId, Rules) {
  for (const char* id : {"a", "A.b-c_d+1", "...", "-x", "1"}) EXPECT_TRUE(ValidateId(id)) << id;
  EXPECT_TRUE(ValidateId(std::string(1024, 'x')));
  EXPECT_FALSE(ValidateId(std::string(1025, 'x')));
  for (const char* id : {"", ".", "..", "a/b", "a b", "a\n", "ä", "../x", "a\\b", ".seccomp"}) {
    auto valid = ValidateId(id);
    ASSERT_FALSE(valid) << id;
    EXPECT_EQ(valid.error().kind, ErrorKind::kInvalid);
  }
}

TEST_F(StoreTest, IsMadeForItsOwnerOnly) {
  EXPECT_EQ(Store::OpenExisting(root_).error().kind, ErrorKind::kNotFound);
  mode_t before = umask(0);
  Open();
  umask(before);
  struct stat status{};
  ASSERT_EQ(stat(root_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 077, 0u);
  EXPECT_TRUE(Store::OpenExisting(root_));
}

TEST_F(StoreTest, ADirectoryThatOthersCanWriteIsNoRoot) {
  ASSERT_TRUE(sys::MakeDirectories(root_, 0700));
  ASSERT_EQ(chmod(root_.c_str(), 01777), 0);
  auto store = Store::OpenExisting(root_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(store.error().Text().starts_with("--root ")) << store.error().Text();
}

TEST_F(StoreTest, AGroupMayWriteOnlyIfItIsTheCallersOrRoots) {
  ASSERT_TRUE(sys::MakeDirectories(root_, 0700));
  ASSERT_EQ(chmod(root_.c_str(), 0770), 0);
  EXPECT_TRUE(Store::OpenExisting(root_));  // umask 002 and a group of the user's own
  if (geteuid() != 0) GTEST_SKIP() << "only root gives a directory to another group";
  ASSERT_EQ(chown(root_.c_str(), 0, 65533), 0);
  auto store = Store::OpenExisting(root_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(store.error().Text().find("gid 65533"), std::string::npos) << store.error().Text();
  ASSERT_EQ(chmod(root_.c_str(), 0750), 0);
  EXPECT_TRUE(Store::OpenExisting(root_));
}

TEST_F(StoreTest, AFolderOfAnotherUserIsNoContainers) {
  if (geteuid() != 0) GTEST_SKIP() << "only root gives a directory to another user";
  Store store = Open();
  ASSERT_TRUE(store.Create("c1"));
  ASSERT_EQ(chown((root_ + "/c1").c_str(), 65533, 0), 0);
  auto found = store.Find("c1");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kInvalid);
  ASSERT_EQ(chown((root_ + "/c1").c_str(), 0, 0), 0);
  EXPECT_TRUE(store.Find("c1"));
}

TEST_F(StoreTest, AnIdIsTakenOnce) {
  Store store = Open();
  auto folder = store.Create("c1");
  ASSERT_TRUE(folder) << folder.error().Text();
  EXPECT_EQ(folder->id(), "c1");
  auto again = store.Create("c1");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kExists);
  EXPECT_EQ(store.Create("../x").error().kind, ErrorKind::kInvalid);
  EXPECT_FALSE(sys::Exists(AT_FDCWD, path_ + "/run/x"));
}

TEST_F(StoreTest, FindsOnlyFolders) {
  Store store = Open();
  EXPECT_EQ(store.Find("none").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(store.Find("..").error().kind, ErrorKind::kInvalid);
  std::filesystem::create_directory(path_ + "/elsewhere");
  std::filesystem::create_directory_symlink(path_ + "/elsewhere", root_ + "/link");
  EXPECT_FALSE(store.Find("link"));  // never followed
  ASSERT_TRUE(store.Create("c1"));
  EXPECT_TRUE(store.Find("c1"));
}

TEST_F(StoreTest, IdsAreSortedAndTheCacheIsNone) {
  Store store = Open();
  for (const char* id : {"b", "a", "c"}) ASSERT_TRUE(store.Create(id));
  EXPECT_TRUE(store.SeccompCache().valid());
  EXPECT_TRUE(store.SeccompCache().valid());  // the second time it is there
  EXPECT_EQ(store.Ids().value(), (Ids{"a", "b", "c"}));
}

TEST_F(StoreTest, RecordsAreSavedAndLoaded) {
  Store store = Open();
  auto folder = store.Create("c1").value();
  EXPECT_EQ(folder.Load().error().kind, ErrorKind::kNotFound);  // killed while being made
  Record record;
  record.id = "c1";
  record.pid = 12;
  ASSERT_TRUE(folder.Save(record));
  record.pid = 13;
  ASSERT_TRUE(folder.Save(record));
  EXPECT_EQ(store.Find("c1").value().Load().value().pid, 13);
  struct stat status{};
  ASSERT_EQ(stat((root_ + "/c1/state.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(sys::ListDirectory(folder.directory(), "c1").value(), Ids{kStateFile});
}

TEST_F(StoreTest, ARecordSaysWhetherTheContainerIsMade) {
  Store store = Open();
  auto folder = store.Create("c1").value();
  ASSERT_TRUE(folder.Save({}));
  EXPECT_TRUE(folder.Load().value().being_made);
  EXPECT_TRUE(store.Find("c1").value().Load().value().being_made);
  ASSERT_TRUE(folder.FinishMaking());
  EXPECT_FALSE(store.Find("c1").value().Load().value().being_made);
  struct stat status{};
  ASSERT_EQ(stat((root_ + "/c1").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
}

TEST_F(StoreTest, ConfigurationIsKept) {
  Store store = Open();
  auto folder = store.Create("c1").value();
  EXPECT_FALSE(folder.LoadConfig());
  ASSERT_TRUE(folder.SaveConfig(
      R"({"ociVersion":"1.0.2","root":{"path":"r"},"hostname":"","annotations":{"k":"v"}})"));
  auto config = folder.LoadConfig();
  ASSERT_TRUE(config) << config.error().Text();
  EXPECT_EQ(config->annotations.at("k"), "v");
}

TEST_F(StoreTest, RemoveTakesEverythingAndForgivesWhatIsGone) {
  Store store = Open();
  auto folder = store.Create("c1").value();
  ASSERT_TRUE(folder.Save({}));
  ASSERT_TRUE(folder.SaveConfig("{}"));
  ASSERT_TRUE(folder.Remove());
  EXPECT_EQ(store.Find("c1").error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(folder.Remove());
  EXPECT_TRUE(store.Create("c1"));
}

TEST_F(StoreTest, LockOrdersCommandsOnOneId) {
  Store store = Open();
  auto first = store.Create("c1").value();
  auto second = store.Find("c1").value();
  EXPECT_EQ(flock(second.directory(), LOCK_EX | LOCK_NB), -1);  // create leaves it locked
  first.Unlock();
  EXPECT_TRUE(second.Lock());
}

TEST_F(StoreTest, ABusyContainerIsNotWaitedForLongerThanThePatience) {
  Store store = Open();
  auto first = store.Create("c1").value();
  store.set_patience(std::chrono::milliseconds(10));
  auto locked = store.Find("c1").value().Lock();
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().kind, ErrorKind::kTimeout);
  EXPECT_NE(locked.error().Text().find("busy"), std::string::npos) << locked.error().Text();
}

TEST_F(StoreTest, AFolderThatWasRemovedMeanwhileCannotBeLocked) {
  Store store = Open();
  auto first = store.Create("c1").value();
  auto second = store.Find("c1").value();
  ASSERT_TRUE(first.Remove());
  first.Unlock();
  auto another = store.Create("c1");  // the same name
  ASSERT_TRUE(another);
  EXPECT_EQ(second.Lock().error().kind, ErrorKind::kNotFound);
}

}  // namespace kiste::runtime
