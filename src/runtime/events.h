// SPDX-License-Identifier: Apache-2.0
//
// `events`: what a container uses, again and again, and when its memory runs out.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/result.h"
#include "runtime/plan.h"
#include "runtime/store.h"

namespace kiste::runtime {

struct EventsRequest {
  std::string id;
  bool once = false;                                           // one line of counts, at once
  std::chrono::nanoseconds interval{std::chrono::seconds(5)};  // > 0
  Warn warn;
};

// Calls `print` with each line (runc's JSON, with its newline) until the container has stopped, or
// `print` fails. kState for a container that has stopped already.
Status Events(const Store& store, const EventsRequest& request,
              const std::function<Status(const std::string&)>& print);

}  // namespace kiste::runtime
