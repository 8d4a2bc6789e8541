// SPDX-License-Identifier: Apache-2.0
#include "runtime/events.h"

#include <poll.h>

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "runtime/container.h"
#include "runtime/stats_text.h"
#include "sys/cgroup/cgroup.h"
#include "sys/pidfd.h"

namespace kiste::runtime {

namespace {

namespace cg = sys::cgroup;
using Clock = std::chrono::steady_clock;
using Print = std::function<Status(const std::string&)>;

Status PrintStats(const Record& record, const cg::Cgroup& cgroup, const Print& print) {
  auto stats = TRY(cgroup.ReadStats());
  std::optional<RdtStats> rdt;
  if (!record.rdt.control.empty())
    rdt = TRY(ReadRdtStats(sys::Resctrl(record.rdt.root), record.rdt));
  return print(StatsEvent(record.id, stats, rdt));
}

// Without a controller for memory there is the rest still.
std::optional<cg::OomWatch> Watch(const cg::Cgroup& cgroup, const Warn& warn) {
  auto watch = cgroup.WatchOom();
  if (watch) return std::move(*watch);
  warn(StrCat("events of memory running out are not told: ", watch.error().Text()));
  return std::nullopt;
}

// Waits for `fd` (-1: none) until `deadline`.
Status WaitUntil(int fd, int pidfd, Clock::time_point deadline) {
  auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  constexpr int64_t kLongest = 60'000;
  pollfd fds[] = {{fd, POLLIN, 0}, {pidfd, POLLIN, 0}};
  int timeout = static_cast<int>(std::clamp<int64_t>(left, 0, kLongest));
  if (poll(fds, 2, timeout) < 0 && errno != EINTR) return SystemError(errno, "poll");
  return {};
}

Status Follow(const EventsRequest& request, const Record& record, const cg::Cgroup& cgroup,
              const Fd& process, const Print& print) {
  auto oom = Watch(cgroup, request.warn);
  auto next = Clock::now() + request.interval;
  while (true) {
    TRY(WaitUntil(oom ? oom->fd() : -1, process.get(), next));
    // Asked before what it may have died of is looked at: nothing comes after its end.
    bool ended = TRY(sys::PidfdWaitExit(process.get(), 0));
    if (oom && TRY(oom->Take())) TRY(print(OomEvent(request.id)));
    if (ended) return {};
    if (Clock::now() < next) continue;
    TRY(PrintStats(record, cgroup, print));
    next = std::max(next + request.interval, Clock::now());
  }
}

}  // namespace

Status Events(const Store& store, const EventsRequest& request, const Print& print) {
  auto container = TRY(LoadContainer(store, request.id));
  Fd process = TRY(container.Process());
  if (container.record.cgroups.empty()) {
    return Fail(ErrorKind::kUnsupported,
                StrCat("container ", Quote(request.id), " has no cgroup that counts"));
  }
  auto cgroup = TRY(cg::Cgroup::Open(container.record.cgroups));
  if (request.once) return PrintStats(container.record, cgroup, print);
  return Follow(request, container.record, cgroup, process, print);
}

}  // namespace kiste::runtime
