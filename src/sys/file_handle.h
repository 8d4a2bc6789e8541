// SPDX-License-Identifier: Apache-2.0
//
// A file by its number in its file system (name_to_handle_at(2)).
#pragma once

#include <string>

#include "base/result.h"

namespace kiste::sys {

struct FileHandle {
  int type = 0;
  std::string bytes;
};
// EOPNOTSUPP where the file system has none.
Result<FileHandle> HandleOf(const std::string& path);

}  // namespace kiste::sys
