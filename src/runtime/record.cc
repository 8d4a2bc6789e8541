// SPDX-License-Identifier: Apache-2.0
#include "runtime/record.h"

#include <ctime>

#include "base/json.h"
#include "base/strings.h"

namespace kiste::runtime {

namespace {

void WriteMap(json::CompactWriter& writer, std::string_view key,
              const std::map<std::string, std::string>& map) {
  json::Key(writer, key);
  writer.StartObject();
  for (const auto& [name, value] : map) json::Member(writer, name, std::string_view(value));
  writer.EndObject();
}

Status ReadMap(const json::Value& value, std::map<std::string, std::string>& map) {
  return value.ForEachMember([&](std::string_view name, const json::Value& text) -> Status {
    map[std::string(name)] = TRY(text.String());
    return {};
  });
}

void WriteRdt(json::CompactWriter& writer, const RdtGroups& rdt) {
  if (rdt.control.empty()) return;
  json::Key(writer, "intelRdt");
  writer.StartObject();
  json::Member(writer, "root", std::string_view(rdt.root));
  json::Member(writer, "control", std::string_view(rdt.control));
  json::Member(writer, "controlIsOurs", rdt.control_is_ours);
  json::Member(writer, "monitor", std::string_view(rdt.monitor));
  json::Member(writer, "monitorIsOurs", rdt.monitor_is_ours);
  writer.EndObject();
}

void WriteTexts(json::CompactWriter& writer, std::string_view key,
                const std::vector<std::string>& texts) {
  json::Key(writer, key);
  writer.StartArray();
  for (const auto& text : texts) json::Text(writer, text);
  writer.EndArray();
}

// A record of an earlier kiste-oci need not have them.
Status ReadTexts(const json::Value& value, std::vector<std::string>& texts) {
  if (!value.present()) return {};
  return value.ForEach([&](const json::Value& text) -> Status {
    texts.push_back(TRY(text.String()));
    return {};
  });
}

Result<RdtGroups> ReadRdt(const json::Value& value) {
  RdtGroups rdt;
  rdt.root = TRY(value["root"].String());
  rdt.control = TRY(value["control"].String());
  rdt.control_is_ours = TRY(value["controlIsOurs"].Bool());
  rdt.monitor = TRY(value["monitor"].String());
  rdt.monitor_is_ours = TRY(value["monitorIsOurs"].Bool());
  return rdt;
}

}  // namespace

std::string RecordJson(const Record& record) {
  json::Buffer buffer;
  json::CompactWriter writer(buffer);
  writer.StartObject();
  json::Member(writer, "id", std::string_view(record.id));
  json::Member(writer, "bundle", std::string_view(record.bundle));
  json::Member(writer, "rootfs", std::string_view(record.rootfs));
  json::Member(writer, "created", std::string_view(record.created));
  json::Member(writer, "pid", record.pid);
  json::Member(writer, "startTime", record.start_time);
  json::Member(writer, "namespaces", record.namespaces);
  json::Member(writer, "owner", static_cast<uint64_t>(record.owner));
  json::Member(writer, "rootless", record.rootless);
  WriteMap(writer, "cgroups", record.cgroups);
  WriteTexts(writer, "keptCgroups", record.kept_cgroups);
  if (!record.systemd_unit.empty()) {
    json::Member(writer, "systemdUnit", std::string_view(record.systemd_unit));
    json::Member(writer, "systemdUser", record.systemd_user);
  }
  if (record.host_root.below != 0) {
    json::Member(writer, "hostRootBelow", record.host_root.below);
    json::Member(writer, "hostRootNamespace", record.host_root.mount_namespace);
  }
  WriteRdt(writer, record.rdt);
  WriteMap(writer, "annotations", record.annotations);
  WriteTexts(writer, "descriptors", record.descriptors);
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Result<Record> ParseRecord(std::string text, const std::string& file) {
  auto document = TRY(json::Document::Parse(std::move(text), file));
  auto root = document.root();
  TRY(root.ExpectObject());
  Record record;
  record.id = TRY(root["id"].String());
  record.bundle = TRY(root["bundle"].String());
  record.rootfs = TRY(root["rootfs"].String());
  record.created = TRY(root["created"].String());
  record.pid = TRY(root["pid"].Int32());
  record.start_time = TRY(root["startTime"].Uint());
  record.namespaces = TRY(root["namespaces"].Int32());
  record.owner = TRY(root["owner"].Uint32());
  record.rootless = TRY(root["rootless"].Bool());
  TRY(ReadMap(root["cgroups"], record.cgroups));
  TRY(ReadTexts(root["keptCgroups"], record.kept_cgroups));
  if (auto unit = root["systemdUnit"]; unit.present()) {
    record.systemd_unit = TRY(unit.String());
    record.systemd_user = TRY(root["systemdUser"].Bool());
  }
  if (auto below = root["hostRootBelow"]; below.present()) {
    record.host_root.below = TRY(below.Uint());
    record.host_root.mount_namespace = TRY(root["hostRootNamespace"].Uint());
  }
  if (auto rdt = root["intelRdt"]; rdt.present()) record.rdt = TRY(ReadRdt(rdt));
  TRY(ReadMap(root["annotations"], record.annotations));
  TRY(ReadTexts(root["descriptors"], record.descriptors));
  return record;
}

}  // namespace kiste::runtime
