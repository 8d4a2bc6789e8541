// SPDX-License-Identifier: Apache-2.0
#include "seccomp_profile.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace kiste::perf {
namespace {

bool Has(const std::vector<std::string>& set, const std::string& item) {
  return std::ranges::find(set, item) != set.end();
}

std::vector<std::string> Strings(const Json* filter, const char* name) {
  const Json* list = filter ? filter->Find(name) : nullptr;
  return list ? list->StringItems() : std::vector<std::string>();
}

// "4.8", "6.18.44-debian"
std::pair<int, int> KernelVersion(const char* text) {
  char* rest = nullptr;
  const auto major = static_cast<int>(std::strtol(text, &rest, 10));
  const auto minor = static_cast<int>(*rest == '.' ? std::strtol(rest + 1, nullptr, 10) : 0);
  return {major, minor};
}

std::string MinimumKernel(const Json* filter) {
  const Json* kernel = filter ? filter->Find("minKernel") : nullptr;
  return kernel ? kernel->Text() : std::string();
}

// A rule applies when everything that it includes is there and nothing that it excludes is.
bool Applies(const Json& rule, const ProfileContext& context) {
  const Json* includes = rule.Find("includes");
  const Json* excludes = rule.Find("excludes");
  const auto held = [&](const std::string& cap) { return Has(context.capabilities, cap); };

  const auto included = Strings(includes, "arches");
  if (!included.empty() && !Has(included, context.architecture)) return false;
  if (Has(Strings(excludes, "arches"), context.architecture)) return false;
  if (!std::ranges::all_of(Strings(includes, "caps"), held)) return false;
  if (std::ranges::any_of(Strings(excludes, "caps"), held)) return false;
  const std::string since = MinimumKernel(includes);
  const std::string before = MinimumKernel(excludes);
  return (since.empty() || context.kernel >= KernelVersion(since.c_str())) &&
         (before.empty() || context.kernel < KernelVersion(before.c_str()));
}

Json Architectures(const Json& profile, const std::string& native) {
  std::vector<std::string> out = {native};
  if (const Json* map = profile.Find("archMap")) {
    for (const Json& entry : map->Items()) {
      const Json* name = entry.Find("architecture");
      if (!name || name->Text() != native) continue;
      for (std::string& sub : Strings(&entry, "subArchitectures")) out.push_back(std::move(sub));
    }
  }
  return Json::Strings(out);
}

// The profile's spelling of one rule, without what is not the specification's.
Result<Json> Rule(const Json& rule) {
  const Json* names = rule.Find("names");
  const Json* action = rule.Find("action");
  if (!names || names->StringItems().empty() || !action)
    return Fail("a rule without names or action");
  Json out = Json::EmptyObject();
  out.Set("names", *names);
  out.Set("action", *action);
  if (const Json* value = rule.Find("errnoRet"); value && value->IsNumber())
    out.Set("errnoRet", *value);
  if (const Json* args = rule.Find("args"); args && !args->Items().empty()) out.Set("args", *args);
  return out;
}

}  // namespace

ProfileContext DefaultProfileContext() {
  ProfileContext context;
#if defined(__x86_64__)
  context.architecture = "amd64";
  context.native = "SCMP_ARCH_X86_64";
#elif defined(__aarch64__)
  context.architecture = "arm64";
  context.native = "SCMP_ARCH_AARCH64";
#else
#error "name this architecture in libseccomp's words"
#endif
  context.capabilities = {"CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
                          "CAP_KILL",    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",   "CAP_SETGID",
                          "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};
  utsname name{};
  if (uname(&name) == 0) context.kernel = KernelVersion(name.release);
  return context;
}

Result<Json> TranslateSeccompProfile(const Json& profile, const ProfileContext& context) {
  const Json* fallback = profile.Find("defaultAction");
  const Json* rules = profile.Find("syscalls");
  if (!fallback || !rules)
    return Fail("not a seccomp profile: defaultAction or syscalls is missing");
  Json out = Json::EmptyObject();
  out.Set("defaultAction", *fallback);
  if (const Json* value = profile.Find("defaultErrnoRet"); value && value->IsNumber()) {
    out.Set("defaultErrnoRet", *value);
  }
  out.Set("architectures", Architectures(profile, context.native));
  Json::Array kept;
  for (const Json& rule : rules->Items()) {
    if (Applies(rule, context)) kept.push_back(TRY(Rule(rule)));
  }
  out.Set("syscalls", Json(std::move(kept)));
  return out;
}

}  // namespace kiste::perf
