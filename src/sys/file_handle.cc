// SPDX-License-Identifier: Apache-2.0
#include "sys/file_handle.h"

#include <fcntl.h>

#include <array>
#include <cstddef>

#include "base/strings.h"

namespace kiste::sys {

Result<FileHandle> HandleOf(const std::string& path) {
  // The structure ends with as many bytes as it says.
  alignas(file_handle) std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> room{};
  void* start = room.data();
  auto* handle = static_cast<file_handle*>(start);
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  if (name_to_handle_at(AT_FDCWD, path.c_str(), handle, &mount, 0) < 0) {
    return ErrnoError(StrCat("name_to_handle_at ", path));
  }
  FileHandle found{.type = handle->handle_type};
  found.bytes.assign(room.data() + offsetof(file_handle, f_handle), handle->handle_bytes);
  return found;
}

}  // namespace kiste::sys
