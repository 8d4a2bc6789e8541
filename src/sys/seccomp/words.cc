// SPDX-License-Identifier: Apache-2.0
#include "sys/seccomp/words.h"

#include <linux/seccomp.h>

#include <span>
#include <string>
#include <vector>

#include "base/strings.h"
#include "sys/seccomp/seccomp.h"

namespace kiste::sys {

namespace {

template <typename T>
struct Word {
  std::string_view word;
  T value;
};

constexpr Word<uint32_t> kActions[] = {
    {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
    {"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0)},
    {"SCMP_ACT_KILL", SCMP_ACT_KILL},
    {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
    {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
    {"SCMP_ACT_LOG", SCMP_ACT_LOG},
    {"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY},
    {"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0)},
    {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
};

constexpr Word<scmp_compare> kOperators[] = {
    {"SCMP_CMP_EQ", SCMP_CMP_EQ}, {"SCMP_CMP_GE", SCMP_CMP_GE},
    {"SCMP_CMP_GT", SCMP_CMP_GT}, {"SCMP_CMP_LE", SCMP_CMP_LE},
    {"SCMP_CMP_LT", SCMP_CMP_LT}, {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
    {"SCMP_CMP_NE", SCMP_CMP_NE},
};

// The value is libseccomp's own name, for seccomp_arch_resolve_name(3).
constexpr Word<const char*> kArchitectures[] = {
    {"SCMP_ARCH_AARCH64", "aarch64"},
    {"SCMP_ARCH_ARM", "arm"},
    {"SCMP_ARCH_LOONGARCH64", "loongarch64"},
    {"SCMP_ARCH_M68K", "m68k"},
    {"SCMP_ARCH_MIPS", "mips"},
    {"SCMP_ARCH_MIPS64", "mips64"},
    {"SCMP_ARCH_MIPS64N32", "mips64n32"},
    {"SCMP_ARCH_MIPSEL", "mipsel"},
    {"SCMP_ARCH_MIPSEL64", "mipsel64"},
    {"SCMP_ARCH_MIPSEL64N32", "mipsel64n32"},
    {"SCMP_ARCH_PARISC", "parisc"},
    {"SCMP_ARCH_PARISC64", "parisc64"},
    {"SCMP_ARCH_PPC", "ppc"},
    {"SCMP_ARCH_PPC64", "ppc64"},
    {"SCMP_ARCH_PPC64LE", "ppc64le"},
    {"SCMP_ARCH_RISCV64", "riscv64"},
    {"SCMP_ARCH_S390", "s390"},
    {"SCMP_ARCH_S390X", "s390x"},
    {"SCMP_ARCH_SH", "sh"},
    {"SCMP_ARCH_SHEB", "sheb"},
    {"SCMP_ARCH_X32", "x32"},
    {"SCMP_ARCH_X86", "x86"},
    {"SCMP_ARCH_X86_64", "x86_64"},
};

// NEW_LISTENER is no word of profiles: it follows from SCMP_ACT_NOTIFY.
constexpr Word<uint32_t> kFlags[] = {
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    {"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
};

template <typename T>
std::optional<T> Find(std::span<const Word<T>> table, std::string_view word) {
  for (const auto& entry : table) {
    if (entry.word == word) return entry.value;
  }
  return std::nullopt;
}

template <typename T>
std::vector<std::string_view> WordsOf(std::span<const Word<T>> table) {
  std::vector<std::string_view> words;
  for (const auto& entry : table) words.push_back(entry.word);
  return words;
}

// The largest data that libseccomp takes: the kernel's MAX_ERRNO less one, or all of
// SECCOMP_RET_DATA.
Result<uint32_t> WithData(uint32_t action, uint32_t data) {
  uint32_t largest = action == SCMP_ACT_ERRNO(0) ? 4094 : 0xffff;
  if (data > largest) return Invalid(StrCat("errnoRet ", data, " is over ", largest));
  return action | data;
}

}  // namespace

Result<uint32_t> ActionValue(std::string_view word, std::optional<uint32_t> errno_ret) {
  auto action = Find<uint32_t>(kActions, word);
  if (!action) return Invalid(StrCat("unknown action ", Quote(word)));
  if (*action == SCMP_ACT_ERRNO(0) || *action == SCMP_ACT_TRACE(0)) {
    return WithData(*action, errno_ret.value_or(EPERM));
  }
  if (errno_ret) {
    return Invalid(StrCat("errnoRet ", *errno_ret, " with ", word, ", which returns no errno"));
  }
  return *action;
}

bool IsPermissive(uint32_t action) {
  uint32_t kind = action & SECCOMP_RET_ACTION_FULL;
  return kind == SCMP_ACT_ALLOW || kind == SCMP_ACT_LOG || kind == SCMP_ACT_TRACE(0);
}

Result<scmp_compare> OperatorValue(std::string_view word) {
  auto value = Find<scmp_compare>(kOperators, word);
  if (!value) return Invalid(StrCat("unknown operator ", Quote(word)));
  return *value;
}

Result<uint32_t> ArchitectureToken(std::string_view word) {
  auto name = Find<const char*>(kArchitectures, word);
  if (!name) return Invalid(StrCat("unknown architecture ", Quote(word)));
  uint32_t token = seccomp_arch_resolve_name(*name);
  if (token == 0) {
    return Fail(ErrorKind::kUnsupported,
                StrCat("this libseccomp does not know the architecture ", word));
  }
  return token;
}

Result<uint32_t> FlagBit(std::string_view word) {
  auto bit = Find<uint32_t>(kFlags, word);
  if (!bit) return Invalid(StrCat("unknown flag ", Quote(word)));
  return *bit;
}

std::vector<std::string_view> SeccompActions() { return WordsOf<uint32_t>(kActions); }
std::vector<std::string_view> SeccompOperators() { return WordsOf<scmp_compare>(kOperators); }
std::vector<std::string_view> SeccompFlags() { return WordsOf<uint32_t>(kFlags); }

std::vector<std::string_view> SeccompArchitectures() {
  std::vector<std::string_view> words;
  for (const auto& entry : kArchitectures) {
    if (seccomp_arch_resolve_name(entry.value) != 0) words.push_back(entry.word);
  }
  return words;
}

}  // namespace kiste::sys
