// SPDX-License-Identifier: Apache-2.0
#include "bench/spatial/kernel.h"

#include "base/strings.h"
#include "sys/file.h"
#include "sys/keyring.h"

namespace kiste::bench {

Result<std::unique_ptr<UserKey>> UserKey::Plant(const std::string& token) {
  auto seed = std::make_unique<UserKey>();
  seed->token_ = token;
  seed->description_ = StrCat("kiste-bench:", token);
  seed->key_ = TRY(sys::AddUserKey(seed->description_, token));
  TRY(sys::ShareKeyWithUser(seed->key_));
  return seed;
}

UserKey::~UserKey() {
  if (key_ != 0) static_cast<void>(sys::UnlinkUserKey(key_));
}

void UserKey::Tell(std::vector<Marker>& markers) const {
  markers.push_back({"key", description_});
  markers.push_back({"key-id", StrCat(key_)});
}

Status UserKey::Look(std::vector<Finding>& findings) {
  Result<std::string> payload = sys::ReadKey(key_, 1024);
  if (!payload || *payload != token_) {
    findings.push_back({"kernel/key-write", "touches", "the host's key was changed"});
  }
  return {};
}

Result<std::unique_ptr<LogLine>> LogLine::Plant(const std::string& token) {
  // <7>: of the least importance, so that it does not go to the console.
  TRY(sys::WriteExisting("/dev/kmsg", StrCat("<7>kiste-bench: ", token, "\n")));
  return std::make_unique<LogLine>();
}

void LogLine::Tell(std::vector<Marker>& markers) const { markers.push_back({"log", "planted"}); }

Status LogLine::Look(std::vector<Finding>&) { return {}; }

}  // namespace kiste::bench
