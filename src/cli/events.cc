// SPDX-License-Identifier: Apache-2.0
#include "runtime/events.h"

#include "cli/command.h"
#include "cli/quantities.h"
#include "sys/file.h"

namespace kiste::cli {

namespace {

constexpr Option kOptions[] = {
    {"interval", 0, "TIME", "between two lines of counts (default 5s)"},
    {"stats", 0, nullptr, "one line of counts, and no more"},
};

Result<int> Run(Session& session) {
  runtime::EventsRequest request;
  request.id = session.Id();
  request.once = session.arguments.Switch("stats");
  request.interval = TRY(ParseInterval("interval", session.arguments.Value("interval", "5s")));
  request.warn = session.Warn();
  auto store = TRY(session.OpenStore());
  TRY(runtime::Events(store, request, [](const std::string& line) {
    return sys::WriteAll(1, line, "standard output");
  }));
  return 0;
}

}  // namespace

const Command kEventsCommand = {"events",
                                "<container-id>",
                                "print what a container uses, and when its memory runs out",
                                kOptions,
                                1,
                                1,
                                Run};

}  // namespace kiste::cli
