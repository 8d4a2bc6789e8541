// SPDX-License-Identifier: Apache-2.0
#include "bench/description/target.h"

#include <algorithm>

#include "base/strings.h"

namespace kiste::bench {

namespace {

struct VerbWord {
  Verb verb;
  const char* name;
};
constexpr VerbWord kVerbWords[] = {
    {Verb::kRun, "run"},         {Verb::kDetached, "detached"}, {Verb::kCreate, "create"},
    {Verb::kStart, "start"},     {Verb::kExec, "exec"},         {Verb::kPause, "pause"},
    {Verb::kUnpause, "unpause"}, {Verb::kStop, "stop"},         {Verb::kDelete, "delete"},
};

// runc's command line, with `options` in front of the command.
std::map<Verb, Words> OciCommands(const Words& options) {
  auto words = [&options](Words command) {
    Words all = {"{program}", "--root", "{state}"};
    all.insert(all.end(), options.begin(), options.end());
    all.insert(all.end(), command.begin(), command.end());
    return all;
  };
  return {{Verb::kRun, words({"run", "--bundle", "{bundle}", "{id}"})},
          {Verb::kCreate, words({"create", "--bundle", "{bundle}", "{id}"})},
          {Verb::kStart, words({"start", "{id}"})},
          {Verb::kExec, words({"exec", "{id}", "{command}"})},
          {Verb::kPause, words({"pause", "{id}"})},
          {Verb::kUnpause, words({"resume", "{id}"})},
          {Verb::kStop, words({"kill", "{id}", "KILL"})},
          {Verb::kDelete, words({"delete", "--force", "{id}"})}};
}

void MakeOci(TargetDescription& target, const Words& options) {
  target.bundle = true;
  target.cgroup = CgroupMaker::kBundle;
  target.link = target.can_data = true;
  target.commands = OciCommands(options);
}

Result<CgroupMaker> ReadCgroupMaker(const json::Value& value) {
  auto word = TRY(value.StringOr("bench"));
  if (word == "bench") return CgroupMaker::kBench;
  if (word == "bundle") return CgroupMaker::kBundle;
  if (word == "target") return CgroupMaker::kTarget;
  if (word == "within") return CgroupMaker::kWithin;
  return value.Expected("bench, bundle, target or within");
}

Status ReadCommandsOfLife(const json::Value& table, TargetDescription& target) {
  TRY(OnlyMembers(
      table, {"run", "detached", "create", "start", "exec", "pause", "unpause", "stop", "delete"}));
  for (const auto& [verb, name] : kVerbWords) {
    if (table[name]) target.commands[verb] = TRY(ReadWords(table[name]));
  }
  return {};
}

Status ReadTexts(const json::Value& table, std::map<std::string, std::string>& texts) {
  return table.ForEachMember([&](std::string_view name, const json::Value& member) -> Status {
    texts[std::string(name)] = TRY(member.String());
    return {};
  });
}

Status ReadWordsByName(const json::Value& table, std::map<std::string, Words>& lists) {
  return table.ForEachMember([&](std::string_view name, const json::Value& member) -> Status {
    lists[std::string(name)] = TRY(ReadWords(member));
    return {};
  });
}

Status ReadNetwork(const json::Value& table, TargetDescription& target) {
  TRY(OnlyMembers(table, {"none", "link", "enter"}));
  target.network_none = TRY(table["none"].Strings());
  target.network_link = TRY(table["link"].Strings());
  target.enter_link = TRY(table["enter"].BoolOr(false));
  target.link = target.link || table["link"].present() || target.enter_link;
  return {};
}

Status ReadRoom(const json::Value& root, TargetDescription& target) {
  target.prepare = TRY(ReadCommands(root["prepare"]));
  target.undo = TRY(ReadCommands(root["undo"]));
  const auto daemon = root["daemon"];
  TRY(OnlyMembers(daemon, {"command", "ready"}));
  if (daemon) {
    target.daemon = TRY(ReadWords(daemon["command"]));
    target.daemon_ready = TRY(ReadWords(daemon["ready"]));
  }
  const auto image = root["image"];
  TRY(OnlyMembers(image, {"make", "remove"}));
  target.make_image = TRY(ReadCommands(image["make"]));
  target.remove_image = TRY(ReadCommands(image["remove"]));
  return {};
}

Status ReadWhatItIs(const json::Value& root, TargetDescription& target) {
  target.title = TRY(root["title"].String());
  target.isolation = TRY(root["isolation"].String());
  constexpr std::string_view kIsolations[] = {"none", "namespaces", "user-kernel",
                                              "virtual-machine"};
  if (std::find(std::begin(kIsolations), std::end(kIsolations), target.isolation) ==
      std::end(kIsolations)) {
    return root["isolation"].Expected("none, namespaces, user-kernel or virtual-machine");
  }
  target.program = TRY(root["program"].String());
  target.needs = TRY(root["needs"].Strings());
  target.version = TRY(root["version"].Strings());
  TRY(ReadWordsByName(root["parts"], target.parts));
  TRY(ReadWordsByName(root["files"], target.files));
  target.process = TRY(root["process"].StringOr(""));
  target.inside_paths = TRY(root["own-root"].BoolOr(true));
  target.seccomp = TRY(root["seccomp"].BoolOr(false));
  return {};
}

}  // namespace

std::string_view VerbName(Verb verb) {
  for (const auto& word : kVerbWords) {
    if (word.verb == verb) return word.name;
  }
  return "";
}

Result<TargetDescription> ParseTarget(std::string_view text, const std::string& name,
                                      const std::string& file) {
  auto document = TRY(ParseToml(text, file));
  const auto root = document.root();
  TRY(OnlyMembers(root, {"title",    "isolation",   "program", "needs",   "files",   "version",
                         "own-root", "oci",         "options", "seccomp", "process", "cgroup",
                         "do",       "environment", "prepare", "undo",    "daemon",  "image",
                         "limits",   "network",     "data",    "parts"}));
  TargetDescription target;
  target.name = name;
  target.source = std::string(text);
  TRY(ReadWhatItIs(root, target));
  bool oci = TRY(root["oci"].BoolOr(false));
  auto options = TRY(root["options"].Strings());
  if (oci) MakeOci(target, options);
  if (!oci && !options.empty()) return root["options"].Wrong("expected only where oci = true");
  if (!oci) target.cgroup = TRY(ReadCgroupMaker(root["cgroup"]));
  TRY(ReadCommandsOfLife(root["do"], target));
  if (!target.commands.contains(Verb::kRun)) return root["do"].Wrong("expected a command `run`");
  TRY(ReadTexts(root["environment"], target.environment));
  TRY(ReadRoom(root, target));
  TRY(OnlyMembers(root["limits"], {"cpus", "memory", "pids", "processor"}));
  TRY(ReadWordsByName(root["limits"], target.limits));
  TRY(ReadNetwork(root["network"], target));
  target.data = TRY(root["data"].Strings());
  target.can_data = target.can_data || root["data"].present() || !target.inside_paths;
  return target;
}

TargetDescription OciTarget(const std::string& program) {
  TargetDescription target;
  target.name = StrCat("oci:", program);
  target.title = program;
  target.isolation = "namespaces";
  target.program = program;
  target.version = {"{program}", "--version"};
  target.source = StrCat("# oci:", program, "\n");
  MakeOci(target, {});
  return target;
}

}  // namespace kiste::bench
