// SPDX-License-Identifier: Apache-2.0
#include "runtime/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "base/strings.h"

namespace kiste::runtime {

std::vector<std::string> TidyEnvironment(const std::vector<std::string>& env) {
  std::unordered_set<std::string_view> seen;
  std::vector<std::string> tidy;
  tidy.reserve(env.size());
  for (auto variable = env.rbegin(); variable != env.rend(); ++variable) {
    auto name = std::string_view(*variable).substr(0, variable->find('='));
    if (seen.insert(name).second && *variable != "HOME=") tidy.push_back(*variable);
  }
  std::reverse(tidy.begin(), tidy.end());
  return tidy;
}

std::vector<std::string> OwnEnvironment() {
  std::vector<std::string> env;
  for (char** variable = environ; *variable != nullptr; ++variable) env.emplace_back(*variable);
  return env;
}

namespace {

std::optional<uint64_t> NumberInEnvironment(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr ? ParseUint(text) : std::nullopt;
}

}  // namespace

unsigned AnnouncedListenFds() {
  constexpr uint64_t kMost = 1024;
  if (NumberInEnvironment("LISTEN_PID") != static_cast<uint64_t>(getpid())) return 0;
  auto count = NumberInEnvironment("LISTEN_FDS");
  return count && *count <= kMost ? static_cast<unsigned>(*count) : 0;
}

void AddListenFds(unsigned preserve_fds, std::vector<std::string>& env) {
  unsigned announced = AnnouncedListenFds();
  if (announced == 0 || announced > preserve_fds) return;
  env.push_back(StrCat("LISTEN_FDS=", announced));
  env.emplace_back("LISTEN_PID=1");
  const char* names = std::getenv("LISTEN_FDNAMES");
  if (names != nullptr) env.push_back(StrCat("LISTEN_FDNAMES=", names));
}

}  // namespace kiste::runtime
