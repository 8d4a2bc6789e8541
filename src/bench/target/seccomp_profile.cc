// SPDX-License-Identifier: Apache-2.0
//
// podman's profile has rules that apply to some architectures, capabilities and kernels only; an
// engine leaves out the others before it writes config.json, as is done here.
#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>

#include "base/json.h"
#include "base/strings.h"
#include "bench/target/bundle.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

constexpr char kPath[] = "/usr/share/containers/seccomp.json";
#if defined(__x86_64__)
constexpr std::string_view kArchitecture = "amd64", kNative = "SCMP_ARCH_X86_64";
#elif defined(__aarch64__)
constexpr std::string_view kArchitecture = "arm64", kNative = "SCMP_ARCH_AARCH64";
#else
#error "name this architecture in libseccomp's words"
#endif

bool Has(const Words& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// "4.8" as a number that can be compared.
long Version(const char* text) {
  char* rest = nullptr;
  long major = strtol(text, &rest, 10);
  return major * 1000 + (*rest == '.' ? strtol(rest + 1, nullptr, 10) : 0);
}

// Of the bundle's capabilities only CAP_SYS_CHROOT is named by the profile.
bool Held(const std::string& capability) { return capability == "CAP_SYS_CHROOT"; }

Result<bool> Applies(const json::Value& rule, long kernel) {
  const auto includes = rule["includes"], excludes = rule["excludes"];
  auto in = TRY(includes["arches"].Strings());
  auto out = TRY(excludes["arches"].Strings());
  if ((!in.empty() && !Has(in, kArchitecture)) || Has(out, kArchitecture)) return false;
  auto needed = TRY(includes["caps"].Strings());
  auto forbidden = TRY(excludes["caps"].Strings());
  if (!std::all_of(needed.begin(), needed.end(), Held)) return false;
  if (std::any_of(forbidden.begin(), forbidden.end(), Held)) return false;
  auto since = TRY(includes["minKernel"].StringOr(""));
  auto before = TRY(excludes["minKernel"].StringOr(""));
  if (!since.empty() && kernel < Version(since.c_str())) return false;
  return before.empty() || kernel < Version(before.c_str());
}

void Raw(json::CompactWriter& writer, const char* name, const json::Value& value) {
  if (!value) return;
  json::Key(writer, name);
  auto text = value.Dump();
  writer.RawValue(text.data(), text.size(), rapidjson::kObjectType);
}

Status WriteArchitectures(json::CompactWriter& writer, const json::Value& map) {
  json::Key(writer, "architectures");
  writer.StartArray();
  json::Text(writer, kNative);
  auto write = [&](const json::Value& entry) -> Status {
    auto architecture = TRY(entry["architecture"].StringOr(""));
    if (architecture != kNative) return {};
    auto subs = TRY(entry["subArchitectures"].Strings());
    for (const auto& sub : subs) json::Text(writer, sub);
    return {};
  };
  TRY(map.ForEach(write));
  writer.EndArray();
  return {};
}

Status WriteRules(json::CompactWriter& writer, const json::Value& rules) {
  utsname name = {};
  uname(&name);
  long kernel = Version(name.release);
  json::Key(writer, "syscalls");
  writer.StartArray();
  auto write = [&](const json::Value& rule) -> Status {
    bool applies = TRY(Applies(rule, kernel));
    if (!applies) return {};
    writer.StartObject();
    for (const char* member : {"names", "action", "errnoRet"}) Raw(writer, member, rule[member]);
    if (rule["args"].size() > 0) Raw(writer, "args", rule["args"]);
    writer.EndObject();
    return {};
  };
  TRY(rules.ForEach(write));
  writer.EndArray();
  return {};
}

}  // namespace

Result<std::string> DefaultSeccompProfile() {
  if (!sys::Exists(AT_FDCWD, kPath)) {
    return Fail(ErrorKind::kNotFound,
                StrCat(kPath, ": not there (package golang-github-containers-common)"));
  }
  auto text = TRY(sys::ReadFileAt(AT_FDCWD, kPath));
  auto document = TRY(json::Document::Parse(std::move(text), kPath));
  const auto profile = document.root();
  json::Buffer buffer;
  json::CompactWriter writer(buffer);
  writer.StartObject();
  for (const char* member : {"defaultAction", "defaultErrnoRet"})
    Raw(writer, member, profile[member]);
  TRY(WriteArchitectures(writer, profile["archMap"]));
  TRY(WriteRules(writer, profile["syscalls"]));
  writer.EndObject();
  return std::string(buffer.GetString());
}

}  // namespace kiste::bench
