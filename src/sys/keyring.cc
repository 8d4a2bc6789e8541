// SPDX-License-Identifier: Apache-2.0
#include "sys/keyring.h"

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/strings.h"

namespace kiste::sys {

namespace {

// keyctl_setperm(3): view, read, write, search, link, setattr for the possessor and for the user.
constexpr uint32_t kAllOfPossessorAndUser = 0x3f3f0000;

}  // namespace

Result<int32_t> AddUserKey(const std::string& description, std::string_view payload) {
  long key = syscall(SYS_add_key, "user", description.c_str(), payload.data(), payload.size(),
                     KEY_SPEC_USER_KEYRING);
  if (key < 0) return ErrnoError(StrCat("add_key ", description));
  return static_cast<int32_t>(key);
}

Status ShareKeyWithUser(int32_t key) {
  if (syscall(SYS_keyctl, KEYCTL_SETPERM, key, kAllOfPossessorAndUser) < 0) {
    return ErrnoError(StrCat("keyctl ", key));
  }
  return {};
}

Result<std::string> ReadKey(int32_t key, size_t limit) {
  std::string payload(limit, '\0');
  long size = syscall(SYS_keyctl, KEYCTL_READ, key, payload.data(), payload.size());
  if (size < 0) return ErrnoError(StrCat("keyctl ", key));
  if (static_cast<size_t>(size) > limit)
    return Invalid(StrCat("key ", key, ": more than expected"));
  payload.resize(static_cast<size_t>(size));
  return payload;
}

Status UnlinkUserKey(int32_t key) {
  if (syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_USER_KEYRING) < 0) {
    return ErrnoError(StrCat("keyctl ", key));
  }
  return {};
}

}  // namespace kiste::sys
