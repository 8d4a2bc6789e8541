// SPDX-License-Identifier: Apache-2.0
//
// Telling when a cgroup ran out of memory: an eventfd on memory.oom_control (v1,
// Documentation/admin-guide/cgroup-v1/memory.rst, "OOM Control"), inotify on memory.events (v2,
// cgroup-v2.rst). For the command events; made by Cgroup::WatchOom.
#pragma once

#include <cstdint>

#include "base/fd.h"
#include "base/result.h"
#include "sys/cgroup/directory.h"

namespace kiste::sys::cgroup {

class OomWatch {
 public:
  // From now on, in the directory of the controller memory.
  static Result<OomWatch> Open(const Directory& memory);

  // Readable when Take has something to look at.
  int fd() const { return wake_.get(); }
  // Whether memory ran out since the last call; on v2, since the last call somebody was killed for
  // it. Does not wait. Nothing happens any more in a cgroup that is gone.
  Result<bool> Take();

 private:
  OomWatch() = default;
  Directory memory_;
  Fd wake_;
  Fd control_;           // v1: memory.oom_control, open as long as it is listened to
  uint64_t killed_ = 0;  // v2: so far
};

}  // namespace kiste::sys::cgroup
