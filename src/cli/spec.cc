// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include "base/strings.h"
#include "cli/command.h"
#include "oci/spec_template.h"
#include "sys/file.h"

namespace kiste::cli {

namespace {

constexpr Option kOptions[] = {
    {"bundle", 'b', "DIR", "write it there (default: the current directory)"},
    {"rootless", 0, nullptr, "for an ordinary user: with a user namespace"},
};

Result<int> Run(Session& session) {
  std::string bundle = session.arguments.Value("bundle", ".");
  oci::SpecTemplateOptions options;
  options.rootless = session.arguments.Switch("rootless");
  options.uid = geteuid();
  options.gid = getegid();
  Fd directory = TRY_CONTEXT(sys::Open(bundle, O_PATH | O_DIRECTORY), "--bundle");
  // Somebody's configuration is never written over.
  auto file = sys::OpenAt(directory.get(), "config.json", O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!file && file.error().errno_value == EEXIST) {
    return Fail(ErrorKind::kExists, StrCat(bundle, "/config.json exists already: remove it first"));
  }
  if (!file) return std::unexpected(std::move(file).error());
  TRY(sys::WriteAll(file->get(), oci::SpecTemplate(options), "config.json"));
  return 0;
}

}  // namespace

const Command kSpecCommand = {"spec", "", "write an example config.json", kOptions, 0, 0, Run};

}  // namespace kiste::cli
