// SPDX-License-Identifier: Apache-2.0
//
// The lines of source that functions of the running kernel were compiled from, by the debug symbols
// that distributions give beside it (DWARF; Debian: linux-image-…-dbg), read with elfutils' libdw.
// What a function has inlined counts with it, in the file where it is written.
#pragma once

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bench/kernel/symbols.h"

// elfutils' libdwfl.
extern "C" struct Dwfl;

namespace kiste::bench {

struct SourceLine {
  int file = 0;  // its place in SourceLines::files()
  int line = 0;
  auto operator<=>(const SourceLine&) const = default;
};

class SourceLines {
 public:
  // Of the kernel and the modules that are loaded now. kUnsupported, with the places where they
  // were looked for, when there are no debug symbols of this very kernel.
  static Result<SourceLines> OfKernel(const Symbols& symbols);
  // Of a process that runs.
  static Result<SourceLines> OfProcess(pid_t pid);

  // Adds those of what lies at `address`, `size` bytes long; false when there are no debug symbols
  // of it.
  bool Add(uint64_t address, uint64_t size, std::set<SourceLine>& lines);
  // As KernelPath makes them.
  const std::vector<std::string>& files() const { return files_; }

 private:
  struct End {
    void operator()(Dwfl* dwfl) const;
  };
  explicit SourceLines(Dwfl* dwfl) : dwfl_(dwfl) {}
  int FileWith(const char* path);

  std::unique_ptr<Dwfl, End> dwfl_;
  std::vector<std::string> files_;
  std::map<std::string, int, std::less<>> places_;
};

// A path as the kernel's own tree has it, "mm/mmap.c", of what the compiler was given:
// "debian/build/build_amd64/mm/mmap.c" or "/build/linux-6.1.192/mm/mmap.c". It begins at the first
// folder that is one of the tree's; as it is when there is none.
std::string_view KernelPath(std::string_view path);

}  // namespace kiste::bench
