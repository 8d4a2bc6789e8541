// SPDX-License-Identifier: Apache-2.0
#include "oci/parse.h"

#include "base/strings.h"
#include "oci/fields.h"
#include "oci/readers.h"
#include "oci/semver.h"

namespace kiste::oci {

using json::Value;

namespace {

Result<std::string> ReadVersion(const Value& value) {
  std::string text = TRY(RequiredString(value));
  auto version = ParseSemVer(text);
  if (!version || version->major != 1) {
    return value.Expected("version 1.x.y of the runtime specification");
  }
  return text;
}

Status ReadRoot(const Value& root, Config& config) {
  TRY(root.ExpectObject());
  config.root_path = TRY(RequiredString(root["path"]));
  config.root_readonly = TRY(root["readonly"].BoolOr(false));
  return {};
}

// sethostname(2) and setdomainname(2) take at most 64 bytes.
Result<std::string> ReadHostname(const Value& value) {
  constexpr size_t kLongest = 64;
  std::string name = TRY(OptionalString(value));
  if (name.size() > kLongest) {
    return value.Wrong(StrCat("expected at most ", kLongest, " bytes, found ", name.size()));
  }
  return name;
}

Result<std::map<std::string, std::string>> ReadAnnotations(const Value& value) {
  auto annotations = TRY(StringMap(value));
  if (annotations.contains("")) return value.Wrong("an annotation without a name");
  return annotations;
}

// What older versions of the specification meant: engines of that time write a pids limit of 0 for
// "unlimited" (podman 4 does for --pids-limit=-1).
void ReadAsWritten(Config& config) {
  auto& limit = config.linux.resources.pids_limit;
  if (limit == 0 && !ZeroPidsLimits(config.oci_version)) limit = -1;
}

Result<Config> ReadConfig(const Value& root) {
  TRY(root.ExpectObject());
  Config config;
  config.oci_version = TRY(ReadVersion(root["ociVersion"]));
  TRY(ReadRoot(root["root"], config));
  if (Value process = root["process"]) config.process = TRY(ReadProcess(process));
  config.hostname = TRY(ReadHostname(root["hostname"]));
  config.domainname = TRY(ReadHostname(root["domainname"]));
  config.mounts = TRY(ListOf(root["mounts"], ReadMount));
  config.hooks = TRY(ReadHooks(root["hooks"]));
  if (Value linux_part = root["linux"]) config.linux = TRY(ReadLinux(linux_part));
  config.annotations = TRY(ReadAnnotations(root["annotations"]));
  ReadAsWritten(config);
  return config;
}

// A change of more mounts than this is a mistake, or an attempt at one.
Status ExpectMounts(const Value& array) {
  constexpr size_t kMost = 64;
  if (!array.is_array() || array.size() == 0 || array.size() > kMost)
    return array.Expected(StrCat("an array of 1 to ", kMost, " mounts"));
  return {};
}

}  // namespace

bool ZeroPidsLimits(const std::string& oci_version) {
  auto version = ParseSemVer(oci_version);
  return !version || version->major != 1 || version->minor >= 3;
}

Result<Config> ParseConfig(std::string text, std::string file) {
  auto document = TRY(json::Document::Parse(std::move(text), file));
  Config config = TRY(ReadConfig(document.root()));
  TRY(Validate(config, file));
  return config;
}

Result<Process> ParseProcess(std::string text, std::string file) {
  auto document = TRY(json::Document::Parse(std::move(text), std::move(file)));
  return ReadProcess(document.root());
}

Result<std::vector<Mount>> ParseMounts(std::string text, std::string file) {
  auto document = TRY(json::Document::Parse(std::move(text), std::move(file)));
  TRY(ExpectMounts(document.root()));
  return ListOf(document.root(), ReadMount);
}

Result<std::vector<std::string>> ParseMountDestinations(std::string text, std::string file) {
  auto document = TRY(json::Document::Parse(std::move(text), std::move(file)));
  TRY(ExpectMounts(document.root()));
  return ListOf(document.root(), ReadMountDestination);
}

Result<Resources> ParseResources(std::string text, std::string file) {
  auto document = TRY(json::Document::Parse(std::move(text), std::move(file)));
  return ReadResources(document.root());
}

}  // namespace kiste::oci
