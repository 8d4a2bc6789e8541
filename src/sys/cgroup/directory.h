// SPDX-License-Identifier: Apache-2.0
//
// One cgroup directory in one hierarchy: its path and the reading and writing of its files. Used by
// everything in this folder; from outside only through Cgroup.
//
// The kernel's rule: each write(2) to a control file is one message, so a value goes out in one
// write; the files exist because the kernel put them there, so none is ever created. Files are
// opened with openat2(2) (since Linux 5.6) and RESOLVE_NO_SYMLINKS.
#pragma once

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::sys::cgroup {

struct Directory {
  bool v2 = false;
  std::vector<std::string> controllers;  // as in Hierarchy
  std::string path;                      // absolute, checked (NormalPath)
  size_t root_length = 0;  // of the mount point in `path`; 0: not known, opened from a state
  bool fresh = false;      // made by this process: the kernel's defaults are in its files

  bool Has(std::string_view controller) const;

  // Opens a file of the directory ("" is the directory itself), close-on-exec.
  Result<Fd> Open(std::string_view file, int flags) const;
  // Reads the whole file.
  Result<std::string> Read(std::string_view file) const;
  // Reads a file with one number; "max" gives UINT64_MAX.
  Result<uint64_t> ReadNumber(std::string_view file) const;
  // Writes `value` with one write.
  Status Write(std::string_view file, std::string_view value) const;
  // Writes each of `values` with one write, through one descriptor; nothing when there is none.
  Status WriteEach(std::string_view file, const std::vector<std::string>& values) const;
  // Writes what the resources' `field` asks for: a file that the kernel does not offer is
  // kUnsupported and names the field, a cgroup that is gone kNotFound.
  Status Set(std::string_view field, std::string_view file, std::string_view value) const;
  Status SetEach(std::string_view field, std::string_view file,
                 const std::vector<std::string>& values) const;

 private:
  Status MissingFile(std::string_view field, std::string_view file) const;
};

// True for an error of Read and Write that says that there is no such file.
bool IsMissing(const Error& error);
// True for an error of Read and Write on a file that every cgroup has: the cgroup was removed,
// before the file was opened or after (ENODEV). Nobody is left in it then.
bool IsRemoved(const Error& error);
// True when the system call failed with `errno_value`.
bool Failed(const Status& status, int errno_value);

// `path` without empty and "." components, starting with "/". kInvalid for "..", for the root
// itself, and for what cannot be a cgroup's name.
Result<std::string> NormalPath(std::string_view path);
// kInvalid unless `name` can be nothing but a file in the directory.
Status CheckFileName(std::string_view field, std::string_view name);

}  // namespace kiste::sys::cgroup
