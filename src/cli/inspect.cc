// SPDX-License-Identifier: Apache-2.0
//
// state, list, ps: what is there.
#include <pwd.h>

#include <algorithm>
#include <chrono>

#include "base/json.h"
#include "base/strings.h"
#include "cli/command.h"
#include "runtime/container.h"
#include "runtime/lifecycle.h"
#include "sys/command.h"
#include "sys/file.h"

namespace kiste::cli {

namespace {

Status Print(std::string_view text) { return sys::WriteAll(1, text, "standard output"); }

// The name of `uid` in the host's /etc/passwd, or the number: a static program asks no name
// service.
std::string OwnerName(uint32_t uid) {
  auto text = sys::ReadFileAt(AT_FDCWD, "/etc/passwd", 1 << 20);
  if (!text) return StrCat("#", uid);
  for (auto line : Split(*text, '\n')) {
    auto fields = Split(line, ':');
    if (fields.size() > 2 && ParseUint(fields[2]) == uid) return std::string(fields[0]);
  }
  return StrCat("#", uid);
}

struct Entry {
  runtime::Record record;
  std::string status;
  pid_t pid;
};

Entry Inspect(const runtime::Container& container, const Result<runtime::ContainerStatus>& status) {
  bool stopped = !status || *status == runtime::ContainerStatus::kStopped;
  return {container.record, status ? std::string(runtime::StatusName(*status)) : "unknown",
          stopped ? 0 : container.record.pid};
}

// The members of runc's `state` and `list --format json`, which callers parse.
template <typename W>
void WriteEntry(W& writer, const Entry& entry) {
  writer.StartObject();
  json::Member(writer, "ociVersion", oci::kVersion);
  json::Member(writer, "id", std::string_view(entry.record.id));
  json::Member(writer, "pid", entry.pid);
  json::Member(writer, "status", std::string_view(entry.status));
  json::Member(writer, "bundle", std::string_view(entry.record.bundle));
  json::Member(writer, "rootfs", std::string_view(entry.record.rootfs));
  json::Member(writer, "created", std::string_view(entry.record.created));
  if (!entry.record.annotations.empty()) {
    json::Key(writer, "annotations");
    writer.StartObject();
    for (const auto& [name, value] : entry.record.annotations)
      json::Member(writer, name, std::string_view(value));
    writer.EndObject();
  }
  json::Member(writer, "owner", std::string_view(OwnerName(entry.record.owner)));
  writer.EndObject();
}

Result<int> RunState(Session& session) {
  auto store = TRY(session.OpenStore());
  auto container = TRY(runtime::LoadContainer(store, session.Id()));
  auto status = container.Status();
  if (!status) return std::unexpected(std::move(status).error());
  json::Buffer buffer;
  json::PrettyWriter writer(buffer);
  writer.SetIndent(' ', 2);
  WriteEntry(writer, Inspect(container, status));
  TRY(Print(StrCat(std::string_view(buffer.GetString(), buffer.GetSize()), "\n")));
  return 0;
}

std::vector<Entry> AllEntries(const runtime::Store& store, const std::vector<std::string>& ids) {
  std::vector<Entry> entries;
  for (const auto& id : ids) {
    auto container = runtime::LoadContainer(store, id);
    if (container) entries.push_back(Inspect(*container, container->Status()));
    // Else it is just being made or deleted.
  }
  return entries;
}

// Columns as wide as their widest text, two spaces between them.
std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

std::string ListText(const std::vector<Entry>& entries) {
  std::vector<std::vector<std::string>> rows = {
      {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  for (const auto& entry : entries) {
    rows.push_back({entry.record.id, StrCat(entry.pid), entry.status, entry.record.bundle,
                    entry.record.created, OwnerName(entry.record.owner)});
  }
  return Table(rows);
}

std::string ListJson(const std::vector<Entry>& entries) {
  json::Buffer buffer;
  json::CompactWriter writer(buffer);
  writer.StartArray();
  for (const auto& entry : entries) WriteEntry(writer, entry);
  writer.EndArray();
  return StrCat(std::string_view(buffer.GetString(), buffer.GetSize()), "\n");
}

Result<std::string> Format(const Session& session) {
  std::string format = session.arguments.Value("format", "table");
  if (format == "table" || format == "json") return format;
  return Invalid(StrCat("--format: expected table or json, found ", Quote(format)));
}

constexpr Option kListOptions[] = {
    {"format", 'f', "table|json", "form of the output (default table)"},
    {"quiet", 'q', nullptr, "only the ids"},
};

Result<int> RunList(Session& session) {
  std::string format = TRY(Format(session));
  auto store = runtime::Store::OpenExisting(session.root);
  if (!store && store.error().kind != ErrorKind::kNotFound)
    return std::unexpected(std::move(store).error());
  std::vector<Entry> entries;
  if (store) entries = AllEntries(*store, TRY(store->Ids()));
  if (session.arguments.Switch("quiet")) {
    for (const auto& entry : entries) TRY(Print(StrCat(entry.record.id, "\n")));
  } else {
    TRY(Print(format == "json" ? ListJson(entries) : ListText(entries)));
  }
  return 0;
}

constexpr Option kPsOptions[] = {
    {"format", 'f', "table|json", "form of the output (default table)"}};

constexpr std::chrono::minutes kPsPatience(1);  // it reads all of /proc

// The lines of the host's `ps` whose PID column is one of ours.
Result<std::string> FilterPs(const std::vector<pid_t>& pids,
                             const std::vector<std::string>& ps_options) {
  std::vector<std::string> words = {"ps"};
  if (ps_options.empty()) words.emplace_back("-ef");
  words.insert(words.end(), ps_options.begin(), ps_options.end());
  std::string command = Join(words, " ");
  auto [code, output] = TRY(sys::RunCommand(std::move(words), kPsPatience));
  if (code != 0) return Fail(ErrorKind::kSystem, StrCat(command, ": ", Quote(Trim(output))));
  auto lines = Split(output, '\n');
  auto columns = [](std::string_view line) {
    std::vector<std::string_view> found;
    for (auto word : Split(line, ' ')) {
      if (!word.empty()) found.push_back(word);
    }
    return found;
  };
  auto header = columns(lines[0]);
  auto column = std::find(header.begin(), header.end(), "PID");
  if (column == header.end()) return Invalid(StrCat(command, ": its output has no PID column"));
  auto index = static_cast<size_t>(column - header.begin());
  std::string text = StrCat(lines[0], "\n");
  for (size_t i = 1; i < lines.size(); ++i) {
    auto fields = columns(lines[i]);
    if (fields.size() <= index) continue;
    auto pid = ParseInt(fields[index]);
    if (pid && std::find(pids.begin(), pids.end(), static_cast<pid_t>(*pid)) != pids.end()) {
      text += StrCat(lines[i], "\n");
    }
  }
  return text;
}

Result<int> RunPs(Session& session) {
  std::string format = TRY(Format(session));
  auto store = TRY(session.OpenStore());
  auto pids = TRY(runtime::Processes(store, session.Id()));
  if (format == "json") {
    std::vector<std::string> texts;
    for (pid_t pid : pids) texts.push_back(StrCat(pid));
    TRY(Print(StrCat("[", Join(texts, ","), "]\n")));
    return 0;
  }
  const auto& words = session.arguments.positional();
  std::string lines = TRY(FilterPs(pids, {words.begin() + 1, words.end()}));
  TRY(Print(lines));
  return 0;
}

constexpr size_t kAnyNumber = 1000;

}  // namespace

const Command kStateCommand = {
    "state", "<container-id>", "print a container's state as JSON", {}, 1, 1, RunState};
const Command kListCommand = {"list", "",     "list the containers below --root", kListOptions, 0,
                              0,      RunList};
const Command kPsCommand = {"ps",
                            "<container-id> [ps options]",
                            "show the container's processes",
                            kPsOptions,
                            1,
                            kAnyNumber,
                            RunPs};

}  // namespace kiste::cli
