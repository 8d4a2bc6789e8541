// SPDX-License-Identifier: Apache-2.0
#include "runtime/environment.h"

#include <cstdlib>

#include "base/strings.h"

namespace kiste::runtime {

unsigned AnnouncedListenFds() {
  const char* text = std::getenv("LISTEN_FDS");
  auto count = text != nullptr ? ParseUint(text) : std::nullopt;
  constexpr uint64_t kMost = 1024;
  return count && *count <= kMost ? static_cast<unsigned>(*count) : 0;
}

void AddListenFds(unsigned preserve_fds, std::vector<std::string>& env) {
  unsigned announced = AnnouncedListenFds();
  if (announced == 0 || announced > preserve_fds) return;
  env.push_back(StrCat("LISTEN_FDS=", announced));
  env.push_back("LISTEN_PID=1");
  const char* names = std::getenv("LISTEN_FDNAMES");
  if (names != nullptr) env.push_back(StrCat("LISTEN_FDNAMES=", names));
}

}  // namespace kiste::runtime
