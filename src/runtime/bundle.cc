// SPDX-License-Identifier: Apache-2.0
#include "runtime/bundle.h"

#include <fcntl.h>

#include "base/json.h"
#include "base/strings.h"
#include "oci/parse.h"
#include "sys/file.h"

namespace kiste::runtime {

namespace {

constexpr char kConfigName[] = "config.json";

// The configuration that is read: the bundle's, or the one that is given for it.
Result<std::string> ReadConfigText(const std::string& bundle, const std::string& config_file) {
  if (config_file.empty())
    return sys::ReadRegularFile(StrCat(bundle, "/", kConfigName), json::kMaxBytes);
  return TRY_CONTEXT(sys::ReadRegularFile(config_file, json::kMaxBytes), "--config");
}

}  // namespace

Result<Bundle> ReadBundle(const std::string& given, const std::string& config_file) {
  Bundle bundle;
  bundle.path = TRY_CONTEXT(sys::RealPath(given), "--bundle");
  const std::string name = config_file.empty() ? kConfigName : config_file;
  bundle.text = TRY(ReadConfigText(bundle.path, config_file));
  bundle.config = TRY(oci::ParseConfig(bundle.text, name));
  const auto& root = bundle.config.root_path;
  std::string path = root[0] == '/' ? root : StrCat(bundle.path, "/", root);
  auto resolved = sys::RealPath(path);
  if (!resolved) return Context(std::move(resolved), StrCat(name, ": root.path"));
  bundle.rootfs = std::move(*resolved);
  auto status = TRY(sys::StatAt(AT_FDCWD, bundle.rootfs));
  if (!S_ISDIR(status.st_mode)) {
    return Invalid(StrCat(name, ": root.path: expected a directory, found ", bundle.rootfs));
  }
  return bundle;
}

}  // namespace kiste::runtime
