// SPDX-License-Identifier: Apache-2.0
//
// mounts add, mounts remove: as crun has them.
#include "runtime/mounts.h"

#include "base/json.h"
#include "base/strings.h"
#include "cli/command.h"
#include "oci/parse.h"
#include "sys/file.h"

namespace kiste::cli {

namespace {

Result<int> Run(Session& session) {
  const auto& words = session.arguments.positional();
  const std::string &deed = words[0], &id = session.Id(), &file = words[2];
  if (deed != "add" && deed != "remove")
    return Invalid(StrCat("expected add or remove, found ", Quote(deed)));
  std::string text = TRY(sys::ReadRegularFile(file, json::kMaxBytes));
  auto store = TRY(session.OpenStore());
  if (deed == "add") {
    auto mounts = TRY(oci::ParseMounts(std::move(text), file));
    TRY(runtime::AddMounts(store, id, mounts, session.Warn()));
  } else {
    auto destinations = TRY(oci::ParseMountDestinations(std::move(text), file));
    TRY(runtime::RemoveMounts(store, id, destinations));
  }
  return 0;
}

}  // namespace

const Command kMountsCommand = {"mounts",
                                "add|remove <container-id> <file>",
                                "add mounts to a running container, or take them away",
                                {},
                                3,
                                3,
                                Run};

}  // namespace kiste::cli
