// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <set>

#include "base/fd.h"
#include "base/strings.h"
#include "sys/seccomp/cache_file.h"
#include "sys/seccomp/seccomp.h"

namespace kiste::sys {
namespace {

constexpr size_t kHeaderBytes = 32;

bool Same(const SeccompProgram& a, const SeccompProgram& b) {
  return a.flags == b.flags && a.ignored == b.ignored && a.filter.size() == b.filter.size() &&
         std::memcmp(a.filter.data(), b.filter.data(), a.filter.size() * sizeof(sock_filter)) == 0;
}

// A profile with something in every field.
SeccompProfile Full() {
  SeccompProfile profile;
  profile.default_action = "SCMP_ACT_ERRNO";
  profile.default_errno_ret = 1;
  profile.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"};
  profile.flags = {"SECCOMP_FILTER_FLAG_LOG"};
  profile.syscalls = {
      {{"read", "no_such_call", "nor_this"}, "SCMP_ACT_ALLOW", std::nullopt, {}},
      {{"socket"}, "SCMP_ACT_ERRNO", 22, {{0, 16, 3, "SCMP_CMP_EQ"}, {2, 9, 0, "SCMP_CMP_NE"}}},
  };
  return profile;
}

SeccompProfile WithErrno(uint32_t number) {
  auto profile = Full();
  profile.syscalls[1].errno_ret = number;
  return profile;
}

// A program that no compiler would make of a profile: who sees it has believed the file.
SeccompProgram Marked() {
  return {.filter = {BPF_STMT(BPF_RET | BPF_K, 0x7fff0000)}, .flags = 2, .ignored = {"marked"}};
}

// A cache directory of its own for each test.
class SeccompCache : public testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/kiste-seccomp-test-XXXXXX";
    ASSERT_NE(mkdtemp(path), nullptr);
    path_ = path;
    directory_ = Fd(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(directory_);
  }
  void TearDown() override {
    for (const auto& name : Names()) {
      unlinkat(fd(), name.c_str(), 0);
      unlinkat(fd(), name.c_str(), AT_REMOVEDIR);
    }
    rmdir(path_.c_str());
  }

  int fd() const { return directory_.get(); }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    DIR* stream = opendir(path_.c_str());
    while (const dirent* entry = readdir(stream)) {
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    closedir(stream);
    return names;
  }

  SeccompProgram Cached(const SeccompProfile& profile) const {
    auto program = CompileSeccompCached(profile, fd());
    EXPECT_TRUE(program) << (program ? "" : program.error().Text());
    return program ? *std::move(program) : SeccompProgram{};
  }

  // Stores `profile`'s program and returns its file's name.
  std::string Stored(const SeccompProfile& profile) const {
    auto before = Names();
    Cached(profile);
    for (const auto& name : Names()) {
      if (std::ranges::count(before, name) == 0) return name;
    }
    ADD_FAILURE() << "nothing was stored";
    return "none";
  }

  std::string Read(const std::string& name) const {
    Fd file(openat(fd(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    std::string bytes(1 << 20, '\0');
    ssize_t got = file ? read(file.get(), bytes.data(), bytes.size()) : -1;
    bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return bytes;
  }

  void Write(const std::string& name, std::string_view bytes) const {
    unlinkat(fd(), name.c_str(), 0);
    Fd file(openat(fd(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    ASSERT_TRUE(file);
    ASSERT_EQ(write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

  // Puts a believable file with the marked program at the place of Full()'s, lets `spoil` have
  // its way with it, and expects that it is not believed but replaced.
  void ExpectRefused(const std::function<void(const std::string& name)>& spoil, const char* what) {
    std::string name = Stored(Full());
    Write(name, FormatCacheFile(Marked(), SeccompKey(Full())));
    ASSERT_TRUE(Same(Cached(Full()), Marked())) << what;
    spoil(name);
    EXPECT_TRUE(Same(Cached(Full()), *CompileSeccomp(Full()))) << what;
    EXPECT_EQ(Read(name), FormatCacheFile(*CompileSeccomp(Full()), SeccompKey(Full()))) << what;
    unlinkat(fd(), name.c_str(), 0);
  }

  std::string path_;
  Fd directory_;
};

TEST_F(SeccompCache, AHitEqualsACompilation) {
  auto compiled = CompileSeccomp(Full());
  ASSERT_TRUE(compiled);
  EXPECT_EQ(compiled->ignored, (std::vector<std::string>{"no_such_call", "nor_this"}));
  EXPECT_TRUE(Same(Cached(Full()), *compiled));
  ASSERT_EQ(Names().size(), 1U);
  EXPECT_TRUE(Same(Cached(Full()), *compiled));
  EXPECT_EQ(Names().size(), 1U);
}

TEST_F(SeccompCache, AHitComesFromTheFile) {
  std::string name = Stored(Full());
  Write(name, FormatCacheFile(Marked(), SeccompKey(Full())));
  EXPECT_TRUE(Same(Cached(Full()), Marked()));
}

TEST_F(SeccompCache, FilesArePrivateWhateverTheUmask) {
  for (mode_t mask : {mode_t{0}, mode_t{022}, mode_t{0777}}) {
    mode_t before = umask(mask);
    std::string name = Stored(WithErrno(100 + mask));
    umask(before);
    struct stat status{};
    ASSERT_EQ(fstatat(fd(), name.c_str(), &status, 0), 0);
    EXPECT_EQ(status.st_mode, mode_t{S_IFREG | 0600});
  }
}

TEST_F(SeccompCache, NoDirectoryIsNoError) {
  EXPECT_TRUE(CompileSeccompCached(Full(), -1));
  EXPECT_TRUE(CompileSeccompCached(Full(), 1 << 20));
  Fd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(CompileSeccompCached(Full(), file.get()));
  Fd unwritable(open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_TRUE(CompileSeccompCached(Full(), unwritable.get()));
}

TEST_F(SeccompCache, APathOnlyDescriptorIsEnough) {
  Fd only_path(open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(CompileSeccompCached(Full(), only_path.get()));
  EXPECT_EQ(Names().size(), 1U);
}

TEST_F(SeccompCache, WhatDoesNotCompileIsNotStored) {
  auto profile = Full();
  profile.syscalls[1].action = "SCMP_ACT_MAYBE";
  EXPECT_FALSE(CompileSeccompCached(profile, fd()));
  EXPECT_TRUE(Names().empty());
}

// --- what is not believed
// -------------------------------------------------------------------------

TEST_F(SeccompCache, FilesThatOthersCouldHaveWritten) {
  for (mode_t mode : {0620U, 0602U, 0666U}) {
    ExpectRefused(
        [&](const std::string& name) { EXPECT_EQ(fchmodat(fd(), name.c_str(), mode, 0), 0); },
        "mode");
  }
  if (geteuid() != 0) GTEST_SKIP() << "SKIPPED LOUDLY: giving a file away needs root";
  ExpectRefused(
      [&](const std::string& name) { EXPECT_EQ(fchownat(fd(), name.c_str(), 1, 1, 0), 0); },
      "owner");
}

TEST_F(SeccompCache, FilesThatAreNone) {
  ExpectRefused(
      [&](const std::string& name) {
        EXPECT_EQ(renameat(fd(), name.c_str(), fd(), "elsewhere"), 0);
        EXPECT_EQ(symlinkat("elsewhere", fd(), name.c_str()), 0);
      },
      "symbolic link");
  ExpectRefused(
      [&](const std::string& name) {
        unlinkat(fd(), name.c_str(), 0);
        EXPECT_EQ(mkfifoat(fd(), name.c_str(), 0600), 0);
      },
      "FIFO");
  ExpectRefused([&](const std::string& name) { Write(name, ""); }, "empty file");
}

TEST_F(SeccompCache, ADirectoryInTheWayOnlyCostsTime) {
  std::string name = Stored(Full());
  unlinkat(fd(), name.c_str(), 0);
  ASSERT_EQ(mkdirat(fd(), name.c_str(), 0700), 0);
  EXPECT_TRUE(Same(Cached(Full()), *CompileSeccomp(Full())));
  EXPECT_EQ(Names(), std::vector<std::string>{name});
}

TEST_F(SeccompCache, AnotherProfilesFile) {
  std::string other = FormatCacheFile(Marked(), SeccompKey(WithErrno(5)));
  ExpectRefused([&](const std::string& name) { Write(name, other); }, "a collision of hashes");
  std::string longer = FormatCacheFile(Marked(), SeccompKey(Full()) + "x");
  ExpectRefused([&](const std::string& name) { Write(name, longer); }, "a longer key");
  std::string shorter = SeccompKey(Full());
  shorter.pop_back();
  shorter = FormatCacheFile(Marked(), shorter);
  ExpectRefused([&](const std::string& name) { Write(name, shorter); }, "a shorter key");
}

TEST_F(SeccompCache, DamagedFiles) {
  std::string good = FormatCacheFile(Marked(), SeccompKey(Full()));
  std::string flipped = good;
  flipped[good.size() - 1] ^= 1;
  ExpectRefused([&](const std::string& name) { Write(name, flipped); }, "a flipped bit");
  ExpectRefused([&](const std::string& name) { Write(name, good.substr(0, 40)); }, "a short file");
  ExpectRefused([&](const std::string& name) { Write(name, good + "x"); }, "a long file");
  ExpectRefused([&](const std::string& name) { Write(name, std::string(good.size(), '\0')); },
                "zeroes after a power cut");
  ExpectRefused([&](const std::string& name) { Write(name, std::string(4 << 20, 'x')); }, "4 MiB");
}

TEST(SeccompCacheFile, EveryPrefixAndEveryFlippedBitIsSeen) {
  std::string key = SeccompKey(Full());
  std::string good = FormatCacheFile(*CompileSeccomp(Full()), key);
  ASSERT_TRUE(ParseCacheFile(good, key));
  ASSERT_LE(good.size(), MaxCacheFileBytes(key));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(ParseCacheFile(good.substr(0, size), key)) << size;
  }
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(ParseCacheFile(bad, key)) << bit;
  }
}

// `good` with the 32-bit number at `offset` of its header set, and a checksum that fits.
std::string WithField(std::string bytes, size_t offset, uint32_t value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  SealCacheFile(bytes);
  return bytes;
}

TEST(SeccompCacheFile, SizesAreCheckedBehindTheChecksum) {
  constexpr size_t kKeyBytes = 16, kIgnoredBytes = 20, kInstructions = 24;
  std::string key = SeccompKey(Full());
  auto program = *CompileSeccomp(Full());
  std::string good = FormatCacheFile(program, key);
  for (size_t field : {kKeyBytes, kIgnoredBytes, kInstructions}) {
    uint32_t value = 0;
    std::memcpy(&value, good.data() + field, sizeof value);
    EXPECT_TRUE(ParseCacheFile(WithField(good, field, value), key));
    for (uint32_t wrong : {0U, value - 1, value + 1, value + 8, 0x20000000U, 0x7fffffffU, ~0U}) {
      EXPECT_FALSE(ParseCacheFile(WithField(good, field, wrong), key)) << field << " " << wrong;
    }
  }
  program.filter.assign(BPF_MAXINSNS, program.filter.back());
  EXPECT_TRUE(ParseCacheFile(FormatCacheFile(program, key), key));
  program.filter.push_back(program.filter.back());
  EXPECT_FALSE(ParseCacheFile(FormatCacheFile(program, key), key));
  program.filter.clear();
  EXPECT_FALSE(ParseCacheFile(FormatCacheFile(program, key), key));
}

TEST(SeccompCacheFile, IgnoredNamesAreChecked) {
  std::string key = SeccompKey(Full());
  auto program = Marked();
  std::string good = FormatCacheFile(program, key);
  size_t at = kHeaderBytes + key.size();
  ASSERT_EQ(good.substr(at, 8), "6:marked");
  for (char bad : {'5', '7', '9', ':', 'x'}) {
    std::string bytes = good;
    bytes[at] = bad;
    SealCacheFile(bytes);
    EXPECT_FALSE(ParseCacheFile(bytes, key)) << bad;
  }
}

// --- the key
// --------------------------------------------------------------------------------------

TEST(SeccompKey, HoldsEveryFieldThatCounts) {
  using Change = std::function<void(SeccompProfile&)>;
  const Change changes[] = {
      [](auto&) {},
      [](auto& p) { p.default_action = "SCMP_ACT_TRACE"; },
      [](auto& p) { p.default_errno_ret = 2; },
      [](auto& p) { p.default_errno_ret = 0; },
      [](auto& p) { p.default_errno_ret.reset(); },
      [](auto& p) { p.architectures.pop_back(); },
      [](auto& p) { std::swap(p.architectures[0], p.architectures[1]); },
      [](auto& p) { p.flags.clear(); },
      [](auto& p) { p.flags = {"SECCOMP_FILTER_FLAG_TSYNC"}; },
      [](auto& p) { p.flags.swap(p.architectures); },
      [](auto& p) { p.syscalls.pop_back(); },
      [](auto& p) { std::swap(p.syscalls[0], p.syscalls[1]); },
      [](auto& p) { p.syscalls[0].action = "SCMP_ACT_LOG"; },
      [](auto& p) { p.syscalls[0].errno_ret = 0; },
      [](auto& p) { p.syscalls[0].names.pop_back(); },
      [](auto& p) { p.syscalls[0].names[0] = "reaD"; },
      [](auto& p) { p.syscalls[0].names = {"readno_such_call", "nor_this"}; },
      [](auto& p) { p.syscalls[0].names = {"read12:no_such_call", "nor_this"}; },
      [](auto& p) { p.syscalls[1].errno_ret = 2; },
      [](auto& p) { p.syscalls[1].errno_ret.reset(); },
      [](auto& p) { p.syscalls[1].args.pop_back(); },
      [](auto& p) { std::swap(p.syscalls[1].args[0], p.syscalls[1].args[1]); },
      [](auto& p) { p.syscalls[1].args[0].index = 1; },
      [](auto& p) { p.syscalls[1].args[0].value = 1; },
      [](auto& p) { p.syscalls[1].args[0].value_two = 1; },
      [](auto& p) { p.syscalls[1].args[0].op = "SCMP_CMP_GE"; },
  };
  std::set<std::string> keys;
  std::set<uint64_t> hashes;
  for (const auto& change : changes) {
    auto profile = Full();
    change(profile);
    keys.insert(SeccompKey(profile));
    hashes.insert(SeccompHash(SeccompKey(profile)));
  }
  EXPECT_EQ(keys.size(), std::size(changes));
  EXPECT_EQ(hashes.size(), std::size(changes));
  auto profile = Full();
  profile.listener_path = "/run/agent.sock";
  profile.listener_metadata = "x";
  EXPECT_EQ(SeccompKey(profile), SeccompKey(Full()));
}

TEST(SeccompKey, NamesTheGenerator) {
  auto first = SeccompKey(Full());
  first.resize(first.find('\n'));
  EXPECT_EQ(first.size(), std::string_view("kiste seccomp ").size() + 64) << first;
}

// --- bounds and company
// ---------------------------------------------------------------------------

TEST_F(SeccompCache, TheOldestGoFirst) {
  Write("a-strangers-file", "stays");
  timespec old[2] = {{1000000000, 0}, {1000000000, 0}};
  utimensat(fd(), "a-strangers-file", old, 0);
  std::vector<std::string> names;
  for (uint32_t i = 0; i < kSeccompCacheEntries + 6; ++i) {
    names.push_back(Stored(WithErrno(i + 1)));
    timespec written[2] = {{1000000000 + i, 0}, {1000000000 + i, 0}};
    utimensat(fd(), names.back().c_str(), written, 0);
  }
  auto left = Names();
  EXPECT_EQ(left.size(), kSeccompCacheEntries + 1);
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(std::ranges::count(left, names[i]), i < 6 ? 0 : 1) << i;
  }
  EXPECT_EQ(std::ranges::count(left, "a-strangers-file"), 1);
}

TEST_F(SeccompCache, ManyProcessesAtOnce) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    pid_t child = fork();
    if (child == 0) {
      bool good = true;
      for (uint32_t round = 0; round < 100; ++round) {
        auto profile = WithErrno(1 + round % 3);
        auto program = CompileSeccompCached(profile, fd());
        good = good && program && Same(*program, *CompileSeccomp(profile));
        auto there = Names();  // once: another process may empty the folder meanwhile
        if (round % 10 == 0 && !there.empty()) unlinkat(fd(), there[0].c_str(), 0);
      }
      _exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  for (const auto& name : Names()) EXPECT_EQ(name.size(), 16U) << name;
}

}  // namespace
}  // namespace kiste::sys
