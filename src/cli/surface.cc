// SPDX-License-Identifier: Apache-2.0
//
// surface: what a configuration opens of the kernel.
#include "runtime/surface.h"

#include "base/json.h"
#include "base/strings.h"
#include "cli/command.h"
#include "sys/file.h"

namespace kiste::cli {

namespace {

using runtime::Openness;
using runtime::SurfaceFacts;
using runtime::SurfaceGroup;

constexpr int kOpensMore = 3;  // exit code of --compare
constexpr size_t kShown = 6;   // items of a group in the table

constexpr Option kOptions[] = {
    {"bundle", 'b', "DIR", "a bundle's config.json instead of a container"},
    {"compare", 0, "OTHER", "what OTHER (a bundle's directory, or an id) opens more; exit code 3"},
    {"format", 'f', "table|json", "form of the output (default table)"},
};

Result<SurfaceFacts> OfContainer(const Session& session, const std::string& id) {
  auto store = runtime::Store::OpenExisting(session.root);
  if (!store) {
    return Fail(ErrorKind::kNotFound, StrCat("container ", Quote(id), " does not exist"));
  }
  return runtime::ContainerSurface(TRY(runtime::LoadContainer(*store, id)));
}

// An id has no slash and is no directory with a config.json.
Result<SurfaceFacts> OfOther(const Session& session, const std::string& other) {
  bool bundle =
      other.find('/') != std::string::npos || sys::Exists(AT_FDCWD, StrCat(other, "/config.json"));
  return bundle ? runtime::BundleSurface(other) : OfContainer(session, other);
}

void WriteItems(json::PrettyWriter& writer, const SurfaceGroup& group, Openness openness) {
  json::Key(writer, openness == Openness::kOpen ? "open" : "partly");
  writer.StartArray();
  for (const auto& item : group.items) {
    if (item.openness == openness) json::Text(writer, item.name);
  }
  writer.EndArray();
}

void WriteGroups(json::PrettyWriter& writer, const std::vector<SurfaceGroup>& groups,
                 const char* score) {
  writer.StartArray();
  for (const auto& group : groups) {
    writer.StartObject();
    json::Member(writer, "name", std::string_view(group.name));
    json::Member(writer, score, group.score);
    WriteItems(writer, group, Openness::kOpen);
    WriteItems(writer, group, Openness::kPartly);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteFacts(json::PrettyWriter& writer, const SurfaceFacts& facts) {
  json::Member(writer, "source", std::string_view(facts.source));
  if (facts.pid != 0) json::Member(writer, "pid", facts.pid);
  json::Member(writer, "seccompFilter", facts.filtered);
  json::Member(writer, "noNewPrivileges", facts.no_new_privileges);
  json::Member(writer, "ownUserNamespaceWithoutHostRoot", facts.root_is_unprivileged);
}

std::string Finish(const json::Buffer& buffer) {
  return StrCat(std::string_view(buffer.GetString(), buffer.GetSize()), "\n");
}

std::string SurfaceJson(const SurfaceFacts& facts, const std::vector<SurfaceGroup>& groups) {
  json::Buffer buffer;
  json::PrettyWriter writer(buffer);
  writer.SetIndent(' ', 2);
  writer.StartObject();
  WriteFacts(writer, facts);
  json::Key(writer, "groups");
  WriteGroups(writer, groups, "score");
  writer.EndObject();
  return Finish(buffer);
}

std::string ComparisonJson(const SurfaceFacts& first, const SurfaceFacts& second,
                           const std::vector<SurfaceGroup>& more) {
  json::Buffer buffer;
  json::PrettyWriter writer(buffer);
  writer.SetIndent(' ', 2);
  writer.StartObject();
  json::Member(writer, "first", std::string_view(first.source));
  json::Member(writer, "second", std::string_view(second.source));
  json::Member(writer, "opensMore", !more.empty());
  json::Key(writer, "more");
  WriteGroups(writer, more, "scoreIncrease");
  writer.EndObject();
  return Finish(buffer);
}

std::string Column(std::string text, size_t width) {
  text.resize(std::max(width, text.size() + 1), ' ');
  return text;
}

std::string Table(std::string title, const char* score, const std::vector<SurfaceGroup>& groups) {
  constexpr size_t kName = 20, kNumber = 8;
  std::string text = StrCat(title, "\n", Column("GROUP", kName), Column(score, kNumber),
                            Column("OPEN", kNumber), Column("PARTLY", kNumber), "WHAT\n");
  for (const auto& group : groups) {
    size_t open = 0;
    std::vector<std::string> names;
    for (const auto& item : group.items) {
      open += item.openness == Openness::kOpen;
      if (names.size() < kShown) names.push_back(item.name);
    }
    if (group.items.size() > kShown) names.emplace_back("…");
    text += StrCat(Column(group.name, kName), Column(StrCat(group.score), kNumber),
                   Column(StrCat(open), kNumber),
                   Column(StrCat(group.items.size() - open), kNumber), Join(names, ", "), "\n");
  }
  return text;
}

Result<int> Run(Session& session) {
  const auto& arguments = session.arguments;
  std::string format = arguments.Value("format", "table");
  if (format != "table" && format != "json")
    return Invalid(StrCat("--format: expected table or json, found ", Quote(format)));
  if (arguments.Has("bundle") == !arguments.positional().empty())
    return Invalid("expected a container id or --bundle");
  auto facts = TRY(arguments.Has("bundle") ? runtime::BundleSurface(arguments.Value("bundle"))
                                           : OfContainer(session, session.Id()));
  auto groups = TRY(runtime::ScoreSurface(facts));
  if (!arguments.Has("compare")) {
    std::string text =
        format == "json" ? SurfaceJson(facts, groups) : Table(facts.source, "SCORE", groups);
    TRY(sys::WriteAll(1, text, "standard output"));
    return 0;
  }
  auto other = TRY_CONTEXT(OfOther(session, arguments.Value("compare")), "--compare");
  auto more = runtime::OpensMore(groups, TRY(runtime::ScoreSurface(other)));
  std::string title = StrCat(other.source, " opens more than ", facts.source, ":");
  std::string text = format == "json" ? ComparisonJson(facts, other, more)
                     : more.empty()
                         ? StrCat(other.source, " opens nothing more than ", facts.source, "\n")
                         : Table(title, "SCORE+", more);
  TRY(sys::WriteAll(1, text, "standard output"));
  return more.empty() ? 0 : kOpensMore;
}

}  // namespace

const Command kSurfaceCommand = {
    "surface", "[container-id]", "show what a configuration opens of the kernel", kOptions, 0, 1,
    Run};

}  // namespace kiste::cli
