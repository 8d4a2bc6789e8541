// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/oom.h"

#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/strings.h"
#include "sys/cgroup/cgroup.h"
#include "sys/cgroup/parse.h"
#include "sys/cgroup/v2/controllers.h"

namespace kiste::sys::cgroup {

namespace {

constexpr char kControl[] = "memory.oom_control", kRegister[] = "cgroup.event_control";
constexpr char kEvents[] = "memory.events";

Result<uint64_t> Killed(const Directory& memory) {
  std::string text = TRY(ReadIfThere(memory, kEvents));
  return ParseFlat(text)["oom_kill"];
}

// Empties the descriptor; whether anything was in it.
bool Drain(const Fd& fd) {
  char bytes[4096];
  bool any = false;
  while (read(fd.get(), bytes, sizeof bytes) > 0) any = true;
  return any;
}

}  // namespace

Result<OomWatch> OomWatch::Open(const Directory& memory) {
  OomWatch watch;
  watch.memory_ = memory;
  if (memory.v2) {
    watch.wake_ = Fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!watch.wake_) return ErrnoError("inotify_init1");
    std::string file = StrCat(memory.path, "/", kEvents);
    if (inotify_add_watch(watch.wake_.get(), file.c_str(), IN_MODIFY) < 0) {
      return ErrnoError("inotify_add_watch " + file);
    }
    watch.killed_ = TRY(Killed(memory));
    return watch;
  }
  watch.control_ = TRY(memory.Open(kControl, O_RDONLY));
  watch.wake_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!watch.wake_) return ErrnoError("eventfd");
  TRY(memory.Write(kRegister, StrCat(watch.wake_.get(), " ", watch.control_.get())));
  return watch;
}

Result<bool> OomWatch::Take() {
  bool woken = Drain(wake_);
  if (memory_.v2) {
    // Compared even without a wake-up: the kernel sends those later than it counts.
    uint64_t killed = TRY(Killed(memory_));
    bool more = killed > killed_;
    if (more) killed_ = killed;
    return more;
  }
  // The end of the cgroup comes as an event, too.
  return woken && access(StrCat(memory_.path, "/", kRegister).c_str(), F_OK) == 0;
}

Result<OomWatch> Cgroup::WatchOom() const {
  if (const Directory* memory = Find("memory")) return OomWatch::Open(*memory);
  const Directory* v2 = V2();
  if (v2 != nullptr && TRY(v2::HasController(*v2, "memory"))) return OomWatch::Open(*v2);
  return Fail(ErrorKind::kUnsupported,
              "this container has no cgroup controller memory to tell of its want");
}

}  // namespace kiste::sys::cgroup
