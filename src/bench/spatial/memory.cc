// SPDX-License-Identifier: Apache-2.0
#include "bench/spatial/memory.h"

#include <cstring>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/mqueue.h"
#include "sys/random.h"
#include "sys/system_v.h"

namespace kiste::bench {

namespace {

constexpr size_t kSize = 4096;
constexpr size_t kScratch = 100;  // where a probe writes

// A positive number, drawn: keys of others are not hit, and IPC_PRIVATE (0) is none of them.
Result<int> Draw(int limit) {
  unsigned number = 0;
  TRY(sys::FillRandom(&number, sizeof number));
  return static_cast<int>(number % static_cast<unsigned>(limit - 1)) + 1;
}

constexpr int kKeys = 0x7fffffff;

}  // namespace

Result<std::unique_ptr<Segment>> Segment::Plant(const std::string& token) {
  auto seed = std::make_unique<Segment>();
  seed->key_ = TRY(Draw(kKeys));
  seed->id_ = TRY(sys::MakeSegment(seed->key_, kSize, 0666));
  seed->memory_ = TRY(sys::AttachSegment(seed->id_));
  std::memcpy(seed->memory_, token.data(), token.size());
  return seed;
}

Segment::~Segment() {
  if (memory_ != nullptr) static_cast<void>(sys::DetachSegment(memory_));
  if (id_ >= 0) static_cast<void>(sys::RemoveSegment(id_));
}

void Segment::Tell(std::vector<Marker>& markers) const {
  markers.push_back({"shm-key", StrCat(key_)});
  markers.push_back({"shm-id", StrCat(id_)});
}

Status Segment::Look(std::vector<Finding>& findings) {
  if (static_cast<const volatile char*>(memory_)[kScratch] != 0) {
    findings.push_back(
        {"memory/sysv-shm-write", "touches", "the host's System V segment was written to"});
  }
  return {};
}

Result<std::unique_ptr<Semaphores>> Semaphores::Plant() {
  auto seed = std::make_unique<Semaphores>();
  seed->key_ = TRY(Draw(kKeys));
  seed->value_ = TRY(Draw(30000));
  seed->id_ = TRY(sys::MakeSemaphores(seed->key_, 2, 0666));
  TRY(sys::SetSemaphore(seed->id_, 0, seed->value_));
  return seed;
}

Semaphores::~Semaphores() {
  if (id_ >= 0) static_cast<void>(sys::RemoveSemaphores(id_));
}

void Semaphores::Tell(std::vector<Marker>& markers) const {
  markers.push_back({"sem-key", StrCat(key_)});
  markers.push_back({"sem-value", StrCat(value_)});
}

Status Semaphores::Look(std::vector<Finding>& findings) {
  int added = TRY(sys::SemaphoreValue(id_, 1));
  if (added != 0) {
    findings.push_back({"memory/sysv-sem", "touches", "the host's semaphore was added to"});
  }
  return {};
}

Result<std::unique_ptr<Messages>> Messages::Plant() {
  auto seed = std::make_unique<Messages>();
  seed->key_ = TRY(Draw(kKeys));
  seed->id_ = TRY(sys::MakeMessages(seed->key_, 0666));
  return seed;
}

Messages::~Messages() {
  if (id_ >= 0) static_cast<void>(sys::RemoveMessages(id_));
}

void Messages::Tell(std::vector<Marker>& markers) const {
  markers.push_back({"msg-key", StrCat(key_)});
}

Status Messages::Look(std::vector<Finding>& findings) {
  size_t count = TRY(sys::MessageCount(id_));
  if (count > 0) {
    findings.push_back({"memory/sysv-msg", "touches", "a message is in the host's System V queue"});
  }
  return {};
}

Result<std::unique_ptr<PosixMemory>> PosixMemory::Plant(const std::string& token) {
  auto seed = std::make_unique<PosixMemory>();
  int number = TRY(Draw(kKeys));
  std::string name = StrCat("kiste-bench-", number);
  std::string path = StrCat("/dev/shm/", name);
  // shm_open(3) is an open of this.
  Fd fd = TRY(sys::Open(path, O_CREAT | O_EXCL | O_RDWR, 0666));
  seed->name_ = name;
  seed->content_ = token;
  seed->content_.resize(kSize, '\0');
  TRY(sys::WriteAll(fd.get(), seed->content_, path));
  return seed;
}

PosixMemory::~PosixMemory() {
  if (!name_.empty()) static_cast<void>(sys::UnlinkAt(AT_FDCWD, StrCat("/dev/shm/", name_)));
}

void PosixMemory::Tell(std::vector<Marker>& markers) const {
  markers.push_back({"posix-shm", name_});
}

Status PosixMemory::Look(std::vector<Finding>& findings) {
  Result<std::string> content = sys::ReadRegularFile(StrCat("/dev/shm/", name_), 1 << 20);
  if (!content || *content != content_) {
    findings.push_back(
        {"memory/posix-shm-write", "touches", "the host's POSIX shared memory was changed"});
  }
  return {};
}

Result<std::unique_ptr<PosixQueue>> PosixQueue::Plant(const std::string& token) {
  auto seed = std::make_unique<PosixQueue>();
  std::string name = StrCat("/kiste-bench-", token);
  seed->queue_ = TRY(sys::MakeQueue(name, 0666));
  seed->name_ = name;
  return seed;
}

PosixQueue::~PosixQueue() {
  if (!name_.empty()) static_cast<void>(sys::UnlinkQueue(name_));
}

void PosixQueue::Tell(std::vector<Marker>& markers) const { markers.push_back({"mqueue", name_}); }

Status PosixQueue::Look(std::vector<Finding>& findings) {
  size_t count = TRY(sys::QueueLength(queue_.get()));
  if (count > 0) {
    findings.push_back(
        {"memory/posix-mqueue", "touches", "a message is in the host's POSIX queue"});
  }
  return {};
}

}  // namespace kiste::bench
