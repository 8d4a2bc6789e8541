// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer over seccomp profiles and cached programs. An input is text, one field of a profile a
// line (the seeds show it), or the bytes of a cache file behind a line "file". A profile compiles
// or is refused with a text; what compiles is a program that ends on every path and survives its
// cache file; no bytes are a cache file by accident of their sizes.
//   build/fuzz/fuzz/seccomp_fuzzer tests/fuzz/corpus/seccomp
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "sys/seccomp/bpf_interpreter.h"
#include "sys/seccomp/cache_file.h"
#include "sys/seccomp/seccomp.h"

namespace {

using namespace kiste::sys;  // NOLINT: a program of one file

constexpr std::string_view kFile = "file\n";
constexpr size_t kLines = 24;  // compiling takes time that grows with their square
constexpr size_t kHeaderBytes = 32;
constexpr size_t kKeyBytesAt = 16;

void Require(bool holds) {
  if (!holds) abort();
}

uint64_t Number(std::string_view word) { return kiste::ParseUint(word).value_or(word.size()); }

std::optional<uint32_t> OptionalNumber(std::string_view word) {
  if (word == "-") return std::nullopt;
  return static_cast<uint32_t>(Number(word));
}

// rule ACTION ERRNO NAME,NAME… (INDEX VALUE VALUE_TWO OP)…
SeccompSyscall Rule(const std::vector<std::string_view>& words) {
  SeccompSyscall rule;
  rule.action = words[1];
  rule.errno_ret = OptionalNumber(words[2]);
  for (auto name : kiste::Split(words[3], ',')) rule.names.emplace_back(name);
  for (size_t i = 4; i + 4 <= words.size(); i += 4) {
    rule.args.push_back({static_cast<uint32_t>(Number(words[i])), Number(words[i + 1]),
                         Number(words[i + 2]), std::string(words[i + 3])});
  }
  return rule;
}

SeccompProfile Profile(std::string_view text) {
  SeccompProfile profile;
  auto lines = kiste::Split(text, '\n');
  lines.resize(std::min(lines.size(), kLines));
  for (auto line : lines) {
    auto words = kiste::Split(line, ' ');
    if (words[0] == "default" && words.size() > 2) {
      profile.default_action = words[1];
      profile.default_errno_ret = OptionalNumber(words[2]);
    } else if (words[0] == "arch" && words.size() > 1) {
      profile.architectures.emplace_back(words[1]);
    } else if (words[0] == "flag" && words.size() > 1) {
      profile.flags.emplace_back(words[1]);
    } else if (words[0] == "rule" && words.size() > 3) {
      profile.syscalls.push_back(Rule(words));
    }
  }
  return profile;
}

void CheckProgram(const SeccompProgram& program) {
  Require(!program.filter.empty() && program.filter.size() <= BPF_MAXINSNS);
  for (int number : {-1, 0, 1, 59, 437, 1000, 1 << 30, (1 << 30) + 520}) {
    for (uint32_t arch : {0x40000003U, 0xc000003eU, 0xc00000b7U, 0U}) {
      for (uint64_t argument : {uint64_t{0}, uint64_t{16}, ~uint64_t{0}}) {
        seccomp_data data{.nr = number, .arch = arch};
        std::ranges::fill(data.args, argument);
        Require(Interpret(program.filter, data).steps > 0);
      }
    }
  }
}

bool Same(const SeccompProgram& a, const SeccompProgram& b) {
  return a.flags == b.flags && a.ignored == b.ignored &&
         std::ranges::equal(a.filter, b.filter, [](const sock_filter& x, const sock_filter& y) {
           return std::memcmp(&x, &y, sizeof x) == 0;
         });
}

void FuzzProfile(std::string_view text) {
  auto profile = Profile(text);
  auto program = CompileSeccomp(profile);
  if (!program) return Require(!program.error().Text().empty());
  CheckProgram(*program);
  auto key = SeccompKey(profile);
  auto file = FormatCacheFile(*program, key);
  Require(file.size() <= MaxCacheFileBytes(key));
  auto read = ParseCacheFile(file, key);
  Require(read && Same(*read, *program));
}

// The bytes as they are, and once more behind a checksum and a key that fit.
void FuzzFile(std::string bytes) {
  ParseCacheFile(bytes, SeccompKey({}));
  if (bytes.size() < kHeaderBytes) return;
  uint32_t key_bytes = 0;
  std::memcpy(&key_bytes, bytes.data() + kKeyBytesAt, sizeof key_bytes);
  std::memcpy(bytes.data(), "kseccomp", 8);
  SealCacheFile(bytes);
  auto key = bytes.substr(kHeaderBytes, key_bytes);
  auto program = ParseCacheFile(bytes, key);
  if (!program) return;
  Require(!program->filter.empty() && program->filter.size() <= BPF_MAXINSNS);
  auto again = ParseCacheFile(FormatCacheFile(*program, key), key);
  Require(again && Same(*again, *program));
}

}  // namespace

// libseccomp 2.5.4 loses a node when one argument has two conditions in a row of rules.
extern "C" const char* __lsan_default_suppressions() { return "leak:zmalloc\n"; }  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.starts_with(kFile)) {
    FuzzFile(std::string(text.substr(kFile.size())));
  } else {
    FuzzProfile(text);
  }
  return 0;
}
