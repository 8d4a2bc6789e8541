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

}  // namespace

Result<Bundle> ReadBundle(const std::string& given) {
  Bundle bundle;
  bundle.path = TRY_CONTEXT(sys::RealPath(given), "--bundle");
  std::string file = StrCat(bundle.path, "/", kConfigName);
  bundle.text = TRY(sys::ReadRegularFile(file, json::kMaxBytes));
  bundle.config = TRY(oci::ParseConfig(bundle.text, kConfigName));
  const auto& root = bundle.config.root_path;
  std::string path = root[0] == '/' ? root : StrCat(bundle.path, "/", root);
  auto resolved = sys::RealPath(path);
  if (!resolved) return Context(std::move(resolved), StrCat(kConfigName, ": root.path"));
  bundle.rootfs = std::move(*resolved);
  auto status = TRY(sys::StatAt(AT_FDCWD, bundle.rootfs));
  if (!S_ISDIR(status.st_mode)) {
    return Invalid(StrCat(kConfigName, ": root.path: expected a directory, found ", bundle.rootfs));
  }
  return bundle;
}

}  // namespace kiste::runtime
