// SPDX-License-Identifier: Apache-2.0
//
// config-linux.md, "User namespace mappings"; the kernel's rules for them: user_namespaces(7).
#include <algorithm>

#include "base/strings.h"
#include "oci/fields.h"
#include "oci/readers.h"

namespace kiste::oci {

using json::Value;

namespace {

constexpr size_t kMostMappings = 340;  // UID_GID_MAP_MAX_EXTENTS, since Linux 4.15

// first + size must fit 32 bits: the id 4294967295 is no id.
bool Fits(uint32_t first, uint32_t size) { return size <= UINT32_MAX - first; }

Result<IdMapping> ReadIdMapping(const Value& value) {
  TRY(value.ExpectObject());
  IdMapping mapping;
  mapping.container_id = TRY(value["containerID"].Uint32());
  mapping.host_id = TRY(value["hostID"].Uint32());
  mapping.size = TRY(value["size"].Uint32());
  if (mapping.size == 0) return value["size"].Expected("at least 1");
  if (!Fits(mapping.container_id, mapping.size) || !Fits(mapping.host_id, mapping.size)) {
    return value.Wrong(StrCat("ids beyond 4294967294: containerID ", mapping.container_id,
                              ", hostID ", mapping.host_id, ", size ", mapping.size));
  }
  return mapping;
}

// Whether two of the ranges [first, first + size) share an id, `first` being a member of IdMapping.
bool Overlap(std::vector<IdMapping> mappings, uint32_t IdMapping::* first) {
  std::ranges::sort(mappings, {}, first);
  for (size_t i = 1; i < mappings.size(); ++i) {
    if (mappings[i].*first - mappings[i - 1].*first < mappings[i - 1].size) return true;
  }
  return false;
}

}  // namespace

Result<std::vector<IdMapping>> ReadIdMappings(const Value& value) {
  if (value.size() > kMostMappings) {
    return value.Wrong(
        StrCat("expected at most ", kMostMappings, " mappings, found ", value.size()));
  }
  std::vector<IdMapping> mappings = TRY(ListOf(value, ReadIdMapping));
  if (Overlap(mappings, &IdMapping::container_id)) {
    return value.Wrong("two mappings share an id of the container");
  }
  if (Overlap(mappings, &IdMapping::host_id)) {
    return value.Wrong("two mappings share an id of the host");
  }
  return mappings;
}

}  // namespace kiste::oci
