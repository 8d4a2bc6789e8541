// SPDX-License-Identifier: Apache-2.0
#include "oci/state.h"

#include "base/json.h"

namespace kiste::oci {

std::string StateJson(const State& state) {
  json::Buffer buffer;
  json::CompactWriter writer(buffer);
  writer.StartObject();
  json::Member(writer, "ociVersion", kVersion);
  json::Member(writer, "id", state.id);
  json::Member(writer, "status", state.status);
  if (state.pid != 0) json::Member(writer, "pid", static_cast<int64_t>(state.pid));
  json::Member(writer, "bundle", state.bundle);
  if (!state.annotations.empty()) {
    json::Key(writer, "annotations");
    writer.StartObject();
    for (const auto& [name, value] : state.annotations) json::Member(writer, name, value);
    writer.EndObject();
  }
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace kiste::oci
