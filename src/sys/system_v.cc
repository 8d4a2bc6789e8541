// SPDX-License-Identifier: Apache-2.0
#include "sys/system_v.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include <cerrno>
#include <cstdint>

#include "base/strings.h"

namespace kiste::sys {

namespace {

// semctl(2): "the caller has to define this union".
union SemaphoreArgument {
  int value;
  void* pointer;
};

constexpr int kNew = IPC_CREAT | IPC_EXCL;

Result<int> Made(int id, const char* call, key_t key) {
  if (id < 0) return ErrnoError(StrCat(call, " ", key));
  return id;
}

Status Done(int result, const char* call, int id) {
  if (result < 0) return ErrnoError(StrCat(call, " ", id));
  return {};
}

}  // namespace

Result<int> MakeSegment(key_t key, size_t size, mode_t mode) {
  return Made(shmget(key, size, kNew | static_cast<int>(mode)), "shmget", key);
}

Result<int> MakeSemaphores(key_t key, int count, mode_t mode) {
  return Made(semget(key, count, kNew | static_cast<int>(mode)), "semget", key);
}

Result<int> MakeMessages(key_t key, mode_t mode) {
  return Made(msgget(key, kNew | static_cast<int>(mode)), "msgget", key);
}

Result<void*> AttachSegment(int id) {
  void* address = shmat(id, nullptr, 0);
  if (reinterpret_cast<intptr_t>(address) == -1) return ErrnoError(StrCat("shmat ", id));
  return address;
}

Status DetachSegment(const void* address) {
  if (shmdt(address) < 0) return ErrnoError("shmdt");
  return {};
}

Status SetSemaphore(int id, int index, int value) {
  return Done(semctl(id, index, SETVAL, SemaphoreArgument{.value = value}), "semctl", id);
}

Result<int> SemaphoreValue(int id, int index) {
  int value = semctl(id, index, GETVAL);
  if (value < 0) return ErrnoError(StrCat("semctl ", id));
  return value;
}

Result<size_t> MessageCount(int id) {
  msqid_ds about{};
  if (msgctl(id, IPC_STAT, &about) < 0) return ErrnoError(StrCat("msgctl ", id));
  return about.msg_qnum;
}

Status RemoveSegment(int id) { return Done(shmctl(id, IPC_RMID, nullptr), "shmctl", id); }
Status RemoveSemaphores(int id) { return Done(semctl(id, 0, IPC_RMID), "semctl", id); }
Status RemoveMessages(int id) { return Done(msgctl(id, IPC_RMID, nullptr), "msgctl", id); }

}  // namespace kiste::sys
