// SPDX-License-Identifier: Apache-2.0
#include "oci/resources_text.h"

#include "base/json.h"
#include "base/strings.h"

namespace kiste::oci {

namespace {

using Writer = json::CompactWriter;

template <typename T>
void Optional(Writer& writer, std::string_view key, const std::optional<T>& value) {
  if (!value) return;
  if constexpr (std::is_same_v<T, bool> || std::is_signed_v<T>) {
    json::Member(writer, key, *value);
  } else {
    json::Member(writer, key, uint64_t{*value});
  }
}

void TextUnlessEmpty(Writer& writer, std::string_view key, const std::string& text) {
  if (!text.empty()) json::Member(writer, key, std::string_view(text));
}

// `"key": [ … ]`, each element an object whose members `write` adds; nothing for an empty list.
template <typename List, typename Write>
void Objects(Writer& writer, std::string_view key, const List& list, Write write) {
  if (list.empty()) return;
  json::Key(writer, key);
  writer.StartArray();
  for (const auto& element : list) {
    writer.StartObject();
    write(element);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteMemory(Writer& writer, const Memory& memory) {
  Optional(writer, "limit", memory.limit);
  Optional(writer, "reservation", memory.reservation);
  Optional(writer, "swap", memory.swap);
  Optional(writer, "kernel", memory.kernel);
  Optional(writer, "kernelTCP", memory.kernel_tcp);
  Optional(writer, "swappiness", memory.swappiness);
  Optional(writer, "disableOOMKiller", memory.disable_oom_killer);
  Optional(writer, "useHierarchy", memory.use_hierarchy);
  Optional(writer, "checkBeforeUpdate", memory.check_before_update);
}

void WriteCpu(Writer& writer, const Cpu& cpu) {
  Optional(writer, "shares", cpu.shares);
  Optional(writer, "quota", cpu.quota);
  Optional(writer, "burst", cpu.burst);
  Optional(writer, "period", cpu.period);
  Optional(writer, "realtimeRuntime", cpu.realtime_runtime);
  Optional(writer, "realtimePeriod", cpu.realtime_period);
  TextUnlessEmpty(writer, "cpus", cpu.cpus);
  TextUnlessEmpty(writer, "mems", cpu.mems);
  Optional(writer, "idle", cpu.idle);
}

void WriteBlockIo(Writer& writer, const BlockIo& io) {
  Optional(writer, "weight", io.weight);
  Optional(writer, "leafWeight", io.leaf_weight);
  Objects(writer, "weightDevice", io.weight_device, [&](const WeightDevice& device) {
    json::Member(writer, "major", device.major);
    json::Member(writer, "minor", device.minor);
    Optional(writer, "weight", device.weight);
    Optional(writer, "leafWeight", device.leaf_weight);
  });
  auto throttle = [&](const ThrottleDevice& device) {
    json::Member(writer, "major", device.major);
    json::Member(writer, "minor", device.minor);
    json::Member(writer, "rate", device.rate);
  };
  Objects(writer, "throttleReadBpsDevice", io.throttle_read_bps, throttle);
  Objects(writer, "throttleWriteBpsDevice", io.throttle_write_bps, throttle);
  Objects(writer, "throttleReadIOPSDevice", io.throttle_read_iops, throttle);
  Objects(writer, "throttleWriteIOPSDevice", io.throttle_write_iops, throttle);
}

void WriteNetwork(Writer& writer, const Network& network) {
  Optional(writer, "classID", network.class_id);
  Objects(writer, "priorities", network.priorities, [&](const NetworkPriority& entry) {
    json::Member(writer, "name", std::string_view(entry.name));
    json::Member(writer, "priority", uint64_t{entry.priority});
  });
}

void WriteDevice(Writer& writer, const DeviceRule& rule) {
  json::Member(writer, "allow", rule.allow);
  json::Member(writer, "type", std::string_view(&rule.type, 1));
  if (rule.major >= 0) json::Member(writer, "major", rule.major);
  if (rule.minor >= 0) json::Member(writer, "minor", rule.minor);
  json::Member(writer, "access", std::string_view(rule.access));
}

// `"key": { … }` with what `write` adds.
template <typename Write>
void Object(Writer& writer, std::string_view key, Write write) {
  json::Key(writer, key);
  writer.StartObject();
  write();
  writer.EndObject();
}

// The member `name` of `object`, made when it is missing.
rapidjson::Value& MemberOf(rapidjson::Value& object, const char* name,
                           rapidjson::Document::AllocatorType& allocator) {
  if (!object.HasMember(name)) {
    object.AddMember(rapidjson::StringRef(name), rapidjson::Value(rapidjson::kObjectType),
                     allocator);
  }
  return object[name];
}

}  // namespace

std::string ResourcesJson(const Resources& resources) {
  json::Buffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  Objects(writer, "devices", resources.devices,
          [&](const DeviceRule& rule) { WriteDevice(writer, rule); });
  if (resources.memory) Object(writer, "memory", [&] { WriteMemory(writer, *resources.memory); });
  if (resources.cpu) Object(writer, "cpu", [&] { WriteCpu(writer, *resources.cpu); });
  if (resources.pids_limit)
    Object(writer, "pids", [&] { Optional(writer, "limit", resources.pids_limit); });
  if (resources.block_io)
    Object(writer, "blockIO", [&] { WriteBlockIo(writer, *resources.block_io); });
  Objects(writer, "hugepageLimits", resources.hugepage_limits, [&](const HugepageLimit& limit) {
    json::Member(writer, "pageSize", std::string_view(limit.page_size));
    json::Member(writer, "limit", limit.limit);
  });
  if (resources.network)
    Object(writer, "network", [&] { WriteNetwork(writer, *resources.network); });
  if (!resources.rdma.empty()) {
    Object(writer, "rdma", [&] {
      for (const auto& [name, limits] : resources.rdma) {
        Object(writer, name, [&] {
          Optional(writer, "hcaHandles", limits.hca_handles);
          Optional(writer, "hcaObjects", limits.hca_objects);
        });
      }
    });
  }
  if (!resources.unified.empty()) {
    Object(writer, "unified", [&] {
      for (const auto& [file, value] : resources.unified)
        json::Member(writer, file, std::string_view(value));
    });
  }
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Result<std::string> WithResources(const std::string& config_text, const std::string& file,
                                  const Resources& resources) {
  rapidjson::Document config;
  config.Parse<rapidjson::kParseIterativeFlag>(config_text.c_str(), config_text.size());
  if (config.HasParseError() || !config.IsObject()) {
    return Invalid(StrCat(file, ": expected a JSON object"));
  }
  auto& allocator = config.GetAllocator();
  rapidjson::Document changed(&allocator);
  changed.Parse(ResourcesJson(resources).c_str());
  auto& linux_part = MemberOf(config, "linux", allocator);
  if (!linux_part.IsObject()) linux_part.SetObject();
  MemberOf(linux_part, "resources", allocator) = std::move(static_cast<rapidjson::Value&>(changed));
  json::Buffer buffer;
  Writer writer(buffer);
  config.Accept(writer);
  return std::string(buffer.GetString(), buffer.GetSize());
}

}  // namespace kiste::oci
