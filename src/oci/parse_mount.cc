// SPDX-License-Identifier: Apache-2.0
//
// config.md, "Mounts".
#include "oci/fields.h"
#include "oci/mount_options.h"
#include "oci/readers.h"

namespace kiste::oci {

using json::Value;

namespace {

// A relative destination is deprecated (runtime-spec 1.2) and means "from the container's root".
Result<std::string> ReadDestination(const Value& value) {
  std::string destination = TRY(RequiredString(value));
  if (!destination.starts_with('/')) destination.insert(0, 1, '/');
  return destination;
}

Status ReadMappings(const Value& value, Mount& mount) {
  mount.uid_mappings = TRY(ReadIdMappings(value["uidMappings"]));
  mount.gid_mappings = TRY(ReadIdMappings(value["gidMappings"]));
  if (mount.uid_mappings.empty() != mount.gid_mappings.empty()) {
    return value.Expected("uidMappings and gidMappings together");
  }
  // Mappings without the option that asks for them: what the specification calls SHOULD NOT.
  if (!mount.uid_mappings.empty()) mount.idmap = true;
  return {};
}

Status CheckLinks(const Value& value, const Mount& mount) {
  bool nofollow = mount.source_nofollow || mount.destination_nofollow;
  if ((nofollow || mount.copy_symlink) && (!mount.bind || mount.remount)) {
    return value["options"].Expected(
        "copy-symlink, src-nofollow and dest-nofollow only beside bind or rbind");
  }
  if (nofollow && mount.copy_symlink)
    return value["options"].Expected("copy-symlink without src-nofollow and dest-nofollow");
  return {};
}

Status CheckForm(const Value& value, const Mount& mount) {
  if (mount.bind && !mount.remount && mount.source.empty()) {
    return value["source"].Expected("the file or folder to bind");
  }
  if (!mount.bind && !mount.remount && mount.type.empty()) {
    return value["type"].Expected("a file system's type, or the option bind or rbind");
  }
  return {};
}

}  // namespace

Result<std::string> ReadMountDestination(const Value& value) {
  TRY(value.ExpectObject());
  return ReadDestination(value["destination"]);
}

Result<Mount> ReadMount(const Value& value) {
  TRY(value.ExpectObject());
  Mount mount;
  mount.destination = TRY(ReadDestination(value["destination"]));
  mount.type = TRY(OptionalString(value["type"]));
  mount.source = TRY(OptionalString(value["source"]));
  ApplyMountOptions(TRY(value["options"].Strings()), mount);
  if (mount.type == "bind") mount.bind = true;
  if (mount.bind) mount.type = "bind";
  TRY(ReadMappings(value, mount));
  TRY(CheckForm(value, mount));
  TRY(CheckLinks(value, mount));
  return mount;
}

}  // namespace kiste::oci
