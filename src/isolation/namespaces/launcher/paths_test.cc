// SPDX-License-Identifier: Apache-2.0
//
// The launcher's walk through hostile roots, run natively: the test is an ordinary program with the
// launcher's own sources in it (CMakeLists.txt).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

namespace fs = std::filesystem;

// <base>/root is the container's root, <base>/outside what must stay as it is.
class PathsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    base_ = fs::temp_directory_path() / "kiste-paths-XXXXXX";
    ASSERT_NE(mkdtemp(base_.data()), nullptr);
    base_ = fs::canonical(base_);
    fs::create_directories(base_ + "/root");
    fs::create_directories(base_ + "/outside/dir");
    std::ofstream(base_ + "/outside/file") << "kept";
    l_.root = open((base_ + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT;
    int probe = static_cast<int>(syscall(SYS_openat2, l_.root, ".", &how, sizeof how));
    if (probe < 0) GTEST_SKIP() << "openat2 is refused here";
    close(probe);
    before_ = Outside();
  }
  void TearDown() override {
    EXPECT_EQ(Outside(), before_) << "something outside the root was changed";
    if (l_.root >= 0) close(l_.root);
    fs::remove_all(base_);
  }

  std::string In(const std::string& path) const { return base_ + "/root/" + path; }
  void Directory(const std::string& path) { fs::create_directories(In(path)); }
  void File(const std::string& path) {
    fs::create_directories(fs::path(In(path)).parent_path());
    std::ofstream(In(path)) << "here";
  }
  void Link(const std::string& target, const std::string& path) {
    fs::create_directories(fs::path(In(path)).parent_path());
    fs::create_symlink(target, In(path));
  }

  // Where `path` leads, relative to the root ("/" is the root); "outside …" or "error <errno>".
  std::string Find(const std::string& path, Create create, bool no_symlinks = false) {
    return Name(OpenInRoot(l_, path.c_str(), create, no_symlinks));
  }
  std::string FindParent(const std::string& path, std::string& last) {
    const char* name = nullptr;
    long fd = OpenParentInRoot(l_, path.c_str(), &name);
    if (fd >= 0) last = name;
    return Name(fd);
  }
  std::string Name(long fd) const {
    if (fd < 0) return "error " + std::string(strerrorname_np(static_cast<int>(-fd)));
    Handle file(fd);
    EXPECT_NE(fcntl(file.get(), F_GETFD) & FD_CLOEXEC, 0);
    char target[4096];
    std::string link = "/proc/self/fd/" + std::to_string(fd);
    ssize_t size = readlink(link.c_str(), target, sizeof target);
    std::string path(target, size > 0 ? static_cast<size_t>(size) : 0);
    if (path == base_ + "/root") return "/";
    if (path.starts_with(base_ + "/root/")) return path.substr(base_.size() + 5);
    return "outside " + path;
  }
  bool Has(const std::string& path) const { return fs::exists(fs::symlink_status(In(path))); }

  std::string Outside() const {
    std::string all;
    for (const auto& entry : fs::recursive_directory_iterator(base_)) {
      if (entry.path().string().starts_with(base_ + "/root/")) continue;
      struct stat status{};
      lstat(entry.path().c_str(), &status);
      all += entry.path().string() + " " + std::to_string(status.st_mode) + " " +
             std::to_string(S_ISREG(status.st_mode) ? status.st_size : 0) + "\n";
    }
    return all;
  }

  Launcher l_;
  std::string base_, before_;
};

constexpr auto kNothing = Create::kNothing;
constexpr auto kDirectory = Create::kDirectory;
constexpr auto kFile = Create::kFile;

}  // namespace

TEST_F(PathsTest, FindsWhatIsThere) {
  File("etc/passwd");
  EXPECT_EQ(Find("/etc/passwd", kNothing), "/etc/passwd");
  EXPECT_EQ(Find("etc//./passwd", kNothing), "/etc/passwd");
  EXPECT_EQ(Find("/", kNothing), "/");
  EXPECT_EQ(Find("/none", kNothing), "error ENOENT");
  EXPECT_FALSE(Has("none"));
}

TEST_F(PathsTest, MakesWhatIsMissing) {
  EXPECT_EQ(Find("/a", kDirectory), "/a");
  EXPECT_EQ(Find("/b/c/d", kDirectory), "/b/c/d");
  EXPECT_EQ(Find("/b/c/e/f/g", kFile), "/b/c/e/f/g");
  EXPECT_EQ(Find("/x/y/", kDirectory), "/x/y");
  EXPECT_TRUE(fs::is_directory(In("b/c/e/f")));
  EXPECT_TRUE(fs::is_regular_file(In("b/c/e/f/g")));
  EXPECT_EQ(fs::file_size(In("b/c/e/f/g")), 0u);
}

TEST_F(PathsTest, ModesOfWhatIsMade) {
  mode_t before = umask(0);  // as the launcher's
  Find("/a/b", kDirectory);
  Find("/c/d", kFile);
  umask(before);
  EXPECT_EQ(fs::status(In("a")).permissions(), fs::perms(0755));
  EXPECT_EQ(fs::status(In("a/b")).permissions(), fs::perms(0755));
  EXPECT_EQ(fs::status(In("c/d")).permissions(), fs::perms(0755));
}

TEST_F(PathsTest, ExistingFilesKeepTheirContent) {
  File("file");
  EXPECT_EQ(Find("/file", kFile), "/file");
  EXPECT_EQ(fs::file_size(In("file")), 4u);
}

TEST_F(PathsTest, DotDotEndsAtTheRoot) {
  EXPECT_EQ(Find("/../../..", kNothing), "/");
  EXPECT_EQ(Find("/../../outside/file", kNothing), "error ENOENT");
  EXPECT_EQ(Find("/../../made/x", kDirectory), "/made/x");
  EXPECT_EQ(Find("/p/../../../q/r", kDirectory), "/q/r");
}

TEST_F(PathsTest, AbsoluteLinksStartAtTheRoot) {
  Directory("real");
  Link("/real", "link");
  Link(base_ + "/outside", "out");
  Link("/", "slash");
  EXPECT_EQ(Find("/link", kNothing), "/real");
  EXPECT_EQ(Find("/link/a/b", kDirectory), "/real/a/b");
  EXPECT_EQ(Find("/slash/c/d", kDirectory), "/c/d");
  EXPECT_EQ(Find("/out", kNothing), "error ENOENT");
  EXPECT_EQ(Find("/out/file", kNothing), "error ENOENT");
}

TEST_F(PathsTest, LinksWithDotDotStayInside) {
  Link("../../../../outside", "a/up");
  Link("../../outside/file", "a/file");
  EXPECT_EQ(Find("/a/up/x/y", kDirectory), "/outside/x/y");
  EXPECT_EQ(Find("/a/file", kFile), "/outside/file");
  EXPECT_EQ(fs::file_size(In("outside/file")), 0u);  // the root's own, made just now
}

TEST_F(PathsTest, DanglingLinksAreMadeInside) {
  Link("nowhere", "last");
  Link("/deep/er/dir", "absolute");
  Link("none", "dir/parent");
  Link(base_ + "/outside/made", "out");
  Link("/top/new", "far/down/absolute");
  EXPECT_EQ(Find("/far/down/absolute/x", kDirectory), "/top/new/x");
  EXPECT_EQ(Find("/last", kDirectory), "/nowhere");
  EXPECT_EQ(Find("/absolute", kFile), "/deep/er/dir");
  EXPECT_TRUE(fs::is_regular_file(In("deep/er/dir")));
  EXPECT_EQ(Find("/dir/parent/x/y", kDirectory), "/dir/none/x/y");
  EXPECT_EQ(Find("/out/x", kDirectory), base_ + "/outside/made/x");
  EXPECT_TRUE(fs::is_directory(In(base_ + "/outside/made/x")));
}

TEST_F(PathsTest, ChainsOfDanglingLinks) {
  Link("two/x", "one");
  Link("../three", "dir/two");
  Link("dir/two", "two");
  EXPECT_EQ(Find("/one/y", kDirectory), "/three/x/y");
  EXPECT_EQ(Find("/one/y", kNothing), "/three/x/y");
}

TEST_F(PathsTest, LoopsAreErrors) {
  Link("loop", "loop");
  Link("pong", "ping");
  Link("ping", "pong");
  Link("grow/x", "grow");
  for (auto create : {kNothing, kDirectory, kFile}) {
    EXPECT_EQ(Find("/loop", create), "error ELOOP");
    EXPECT_EQ(Find("/ping/x/y", create), "error ELOOP");
    EXPECT_EQ(Find("/grow", create), "error ELOOP");
  }
}

TEST_F(PathsTest, FilesAreNoDirectories) {
  File("file");
  Link("file", "link");
  Link("file/below", "dangling");
  EXPECT_EQ(Find("/file/x", kDirectory), "error ENOTDIR");
  EXPECT_EQ(Find("/file/x/y/z", kDirectory), "error ENOTDIR");
  EXPECT_EQ(Find("/link/x", kFile), "error ENOTDIR");
  EXPECT_EQ(Find("/dangling", kDirectory), "error ENOTDIR");
  EXPECT_EQ(Find("/none/../file/x", kDirectory), "error ENOTDIR");
}

TEST_F(PathsTest, LongNamesAndPaths) {
  std::string longest(255, 'n');
  EXPECT_EQ(Find("/a/b/" + longest, kDirectory), "/a/b/" + longest);
  EXPECT_EQ(Find("/a/b/" + longest + "x", kDirectory), "error ENAMETOOLONG");
  EXPECT_EQ(Find("/c/d/" + longest + "x/e", kFile), "error ENAMETOOLONG");
  std::string path;
  while (path.size() < 5000) path += "/" + std::string(100, 'p');
  EXPECT_EQ(Find(path, kDirectory), "error ENAMETOOLONG");
  std::string name;
  EXPECT_EQ(FindParent(path, name), "error ENAMETOOLONG");
}

TEST_F(PathsTest, ADanglingLinkCannotMakeAPathTooLong) {
  std::string target = "x";
  while (target.size() < 3000) target += "/" + std::string(99, 't');
  Link(target, "link");
  std::string rest;
  while (rest.size() < 2000) rest += "/" + std::string(99, 'r');
  EXPECT_EQ(Find("/link" + rest, kDirectory), "error ENAMETOOLONG");
}

TEST_F(PathsTest, NoSymlinksMeansNone) {
  Directory("real/sub");
  Link("real", "link");
  Link("nowhere", "dangling");
  EXPECT_EQ(Find("/real/sub", kDirectory, true), "/real/sub");
  EXPECT_EQ(Find("/real/new", kDirectory, true), "/real/new");
  EXPECT_EQ(Find("/fresh/new/er", kDirectory, true), "/fresh/new/er");
  EXPECT_EQ(Find("/link", kDirectory, true), "error ELOOP");
  EXPECT_EQ(Find("/link/sub", kNothing, true), "error ELOOP");
  EXPECT_EQ(Find("/link/other", kDirectory, true), "error ELOOP");
  EXPECT_EQ(Find("/dangling", kDirectory, true), "error ELOOP");
}

TEST_F(PathsTest, MagicLinksAreNeverFollowed) {
  int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  Launcher in_proc;
  in_proc.root = proc;
  EXPECT_EQ(OpenInRoot(in_proc, "self/root", kNothing), -ELOOP);
  EXPECT_EQ(OpenInRoot(in_proc, "self/cwd/x", kDirectory), -ELOOP);
  close(proc);
}

TEST_F(PathsTest, ParentAndLastName) {
  std::string name;
  EXPECT_EQ(FindParent("/dev/null", name), "/dev");
  EXPECT_EQ(name, "null");
  EXPECT_EQ(FindParent("/a/b/c", name), "/a/b");
  EXPECT_EQ(name, "c");
  EXPECT_FALSE(Has("a/b/c"));
  EXPECT_EQ(FindParent("/top", name), "/");
  EXPECT_EQ(name, "top");
  EXPECT_EQ(FindParent("bare", name), "/");
  EXPECT_EQ(name, "bare");
}

TEST_F(PathsTest, LastNameIsWithoutTrailingSlashes) {
  std::string name;
  EXPECT_EQ(FindParent("/a/b/c//", name), "/a/b");
  EXPECT_EQ(name, "c");
}

// Not by the letters: that would make a directory that the path does not lead to.
TEST_F(PathsTest, DotDotBehindALinkIsTheTargetsParent) {
  Directory("other/deep");
  Link("/other/deep", "dir");
  Link("dir/../x/y", "dangling");
  EXPECT_EQ(Find("/dir/../p/q", kDirectory), "/other/p/q");
  EXPECT_EQ(Find("/dangling", kDirectory), "/other/x/y");
  EXPECT_EQ(Find("/dangling", kNothing), "/other/x/y");
}

TEST_F(PathsTest, ParentThroughHostileLinks) {
  Link(base_ + "/outside", "out");
  Link("../../../outside", "sub/up");
  File("file");
  std::string name;
  EXPECT_EQ(FindParent("/out/dev", name), base_ + "/outside");
  EXPECT_EQ(FindParent("/sub/up/dev", name), "/outside");
  EXPECT_EQ(FindParent("/file/dev", name), "error ENOTDIR");
  // The last component is not looked at: who makes it says O_EXCL or mknodat.
  Link("/elsewhere", "sub/last");
  EXPECT_EQ(FindParent("/sub/last", name), "/sub");
  EXPECT_FALSE(Has("elsewhere"));
}

TEST_F(PathsTest, TerminalsAreFoundWithoutLinks) {
  Link("/dev/pts/0", "link");
  EXPECT_EQ(OpenTerminalInRoot(l_, "/link"), -ELOOP);
  EXPECT_EQ(OpenTerminalInRoot(l_, "/none"), -ENOENT);
}

TEST_F(PathsTest, NoDescriptorIsLeft) {
  Directory("dir");
  Link("nowhere/x", "dangling");
  Link("loop", "loop");
  File("file");
  int before = dup(0);
  close(before);
  for (const char* path : {"/dir", "/dir/a/b", "/dangling/q", "/loop/x", "/file/x/y"})
    Find(path, kDirectory);
  std::string name;
  FindParent("/g/h/i", name);
  int after = dup(0);
  close(after);
  EXPECT_EQ(after, before);
}

// CVE-2021-30465: somebody who shares the root swaps a directory for a link while we walk. Whatever
// comes back lies inside, and nothing is made outside (TearDown).
TEST_F(PathsTest, ARacingRenamerGetsNothingOut) {
  Directory("spin/dir");
  Link(base_ + "/outside", "spin/link");
  Link("../../outside", "spin/up");
  std::atomic<bool> done = false;
  std::thread renamer([&] {
    std::string a = In("spin/a"), dir = In("spin/dir"), link = In("spin/link"), up = In("spin/up");
    rename(dir.c_str(), a.c_str());
    while (!done) {
      syscall(SYS_renameat2, AT_FDCWD, a.c_str(), AT_FDCWD, link.c_str(), 2 /* RENAME_EXCHANGE */);
      syscall(SYS_renameat2, AT_FDCWD, a.c_str(), AT_FDCWD, up.c_str(), 2 /* RENAME_EXCHANGE */);
      rmdir(In("spin/a/x/y").c_str());
      rmdir(In("spin/a/x").c_str());
    }
  });
  int found = 0;
  for (int i = 0; i < 500; ++i) {
    std::string path = "/spin/a/x/y" + std::to_string(i % 3);
    std::string where = Find(i % 2 == 0 ? "/spin/a/x/y" : path, i % 5 == 0 ? kFile : kDirectory);
    EXPECT_FALSE(where.starts_with("outside")) << where;
    if (!where.starts_with("error")) ++found;
  }
  done = true;
  renamer.join();
  EXPECT_GT(found, 0);
}

}  // namespace kiste::isolation::launcher
