// SPDX-License-Identifier: Apache-2.0
#include "runtime/state_text.h"

#include "base/json.h"
#include "base/strings.h"
#include "isolation/plan.h"

namespace kiste::runtime {

namespace {

// Never a real pid (pid_max is 2^22). Quotes in strings are escaped, so this text can only be the
// member itself.
constexpr pid_t kPlaceholder = 2147483647;
constexpr std::string_view kPlaceholderText = "\"pid\":2147483647";

}  // namespace

std::string StateTemplate(oci::State state) {
  state.pid = kPlaceholder;
  std::string text = oci::StateJson(state);
  size_t at = text.find(kPlaceholderText);
  if (at != std::string::npos) {
    text.replace(at, kPlaceholderText.size(), StrCat("\"pid\":", isolation::kPidMark));
  }
  return text;
}

std::string SeccompStateTemplate(const oci::State& state, const oci::Linux& linux) {
  if (!linux.seccomp || linux.seccomp->listener_path.empty()) return {};
  json::Buffer buffer;
  json::CompactWriter writer(buffer);
  json::Text(writer, linux.seccomp->listener_metadata);
  std::string metadata(buffer.GetString(), buffer.GetSize());
  return StrCat("{\"ociVersion\":\"", oci::kVersion,
                "\",\"fds\":[\"seccompFd\"],\"pid\":", isolation::kPidMark,
                ",\"metadata\":", metadata,
                // The process is an exec's where the container has its own already.
                ",\"state\":", state.pid == 0 ? StateTemplate(state) : oci::StateJson(state), "}");
}

}  // namespace kiste::runtime
