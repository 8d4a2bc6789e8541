// SPDX-License-Identifier: Apache-2.0
#include "bench/kernel/source_lines.h"

#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <ranges>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

constexpr char kKernel[] = "kernel";  // what libdwfl calls it, too
constexpr size_t kMostNotes = 64 << 10;
constexpr uint64_t kPage = 4096;

// Debian, Fedora and SUSE, one built here, and beside the kernel itself.
std::vector<std::string> PlacesOfSymbols() {
  utsname names{};
  uname(&names);
  std::string release = names.release;
  return {StrCat("/usr/lib/debug/boot/vmlinux-", release),
          StrCat("/usr/lib/debug/lib/modules/", release, "/vmlinux"),
          StrCat("/lib/modules/", release, "/build/vmlinux"), StrCat("/boot/vmlinux-", release)};
}

// The callback's types are libdwfl's. The names that it returns are freed by libdwfl.
int FindElf(Dwfl_Module* module, void** data, const char* name, Dwarf_Addr base, char** file,
            Elf** elf) {
  if (std::strcmp(name, kKernel) != 0)
    return dwfl_linux_kernel_find_elf(module, data, name, base, file, elf);
  for (const auto& place : PlacesOfSymbols()) {
    int fd = open(place.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    *file = strdup(place.c_str());
    return fd;
  }
  return -1;
}

bool IsOfModule(Dwfl_Module* module, int fd) {
  const unsigned char* wanted = nullptr;
  GElf_Addr address = 0;
  int length = dwfl_module_build_id(module, &wanted, &address);
  Elf* elf = elf_begin(fd, ELF_C_READ_MMAP, nullptr);
  const void* found = nullptr;
  ssize_t bytes = elf == nullptr ? -1 : dwelf_elf_gnu_build_id(elf, &found);
  bool same =
      length > 0 && bytes == length && std::memcmp(wanted, found, static_cast<size_t>(length)) == 0;
  elf_end(elf);
  return same;
}

// Debian's symbols of a module have the module's own name, which libdwfl does not try.
int FindSymbols(Dwfl_Module* module, void** data, const char* name, Dwarf_Addr base,
                const char* file, const char* link, GElf_Word sum, char** found) {
  int fd = dwfl_standard_find_debuginfo(module, data, name, base, file, link, sum, found);
  if (fd >= 0 || file == nullptr || file[0] != '/') return fd;
  std::string place = StrCat("/usr/lib/debug", file);
  fd = open(place.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  if (!IsOfModule(module, fd)) {
    close(fd);
    return -1;
  }
  *found = strdup(place.c_str());
  return fd;
}

constexpr Dwfl_Callbacks kKernelCallbacks = {
    .find_elf = FindElf,
    .find_debuginfo = FindSymbols,
    .section_address = dwfl_linux_kernel_module_section_address,
};
constexpr Dwfl_Callbacks kProcessCallbacks = {
    .find_elf = dwfl_linux_proc_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
};

std::unexpected<Error> NotUnderstood(std::string_view what) {
  const char* message = dwfl_errmsg(-1);
  return Fail(ErrorKind::kUnsupported,
              StrCat(what, ": ", message == nullptr ? "no debug symbols" : message));
}

Dwfl* Begin(const Dwfl_Callbacks& callbacks) {
  unsetenv("DEBUGINFOD_URLS");  // libdwfl would ask servers
  Dwfl* dwfl = dwfl_begin(&callbacks);
  if (dwfl != nullptr) dwfl_report_begin(dwfl);
  return dwfl;
}

// Symbols of another build of the same release would tell lines that are not these.
Status CheckBuild(Dwfl_Module* module) {
  const unsigned char* id = nullptr;
  GElf_Addr address = 0;
  int length = dwfl_module_build_id(module, &id, &address);
  auto file = TRY(sys::Open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC));
  auto notes = TRY(sys::ReadAll(file.get(), "/sys/kernel/notes", kMostNotes));
  std::string bytes(id, id + std::max(length, 0));
  if (length > 0 && notes.find(bytes) != std::string::npos) return {};
  return Fail(ErrorKind::kUnsupported,
              "debug symbols: expected those of the running kernel, found another build's");
}

Status CheckKernel(Dwfl_Module* module) {
  Dwarf_Addr bias = 0;
  if (module != nullptr && dwfl_module_getdwarf(module, &bias) != nullptr)
    return CheckBuild(module);
  std::string places;
  for (const auto& place : PlacesOfSymbols()) places += " " + place;
  return Fail(ErrorKind::kUnsupported, StrCat("debug symbols of the kernel: none in", places));
}

// The unit of compilation that `address` is in. gcc leaves a table of them, clang does not.
Dwarf_Die* UnitAt(Dwfl* dwfl, uint64_t address, Dwarf_Addr& bias) {
  if (auto* unit = dwfl_addrdie(dwfl, address, &bias)) return unit;
  auto* module = dwfl_addrmodule(dwfl, address);
  if (module == nullptr) return nullptr;
  Dwarf_Die* unit = nullptr;
  while ((unit = dwfl_module_nextcu(module, unit, &bias)) != nullptr) {
    if (dwarf_haspc(unit, address - bias) == 1) return unit;
  }
  return nullptr;
}

}  // namespace

void SourceLines::End::operator()(Dwfl* dwfl) const { dwfl_end(dwfl); }

Result<SourceLines> SourceLines::OfKernel(const Symbols& symbols) {
  SourceLines lines(Begin(kKernelCallbacks));
  if (!lines.dwfl_) return NotUnderstood("libdwfl");
  auto start = symbols.text_start() / kPage * kPage;
  auto* kernel = dwfl_report_module(lines.dwfl_.get(), kKernel, start, symbols.text_end());
  dwfl_linux_kernel_report_modules(lines.dwfl_.get());
  dwfl_report_end(lines.dwfl_.get(), nullptr, nullptr);
  TRY(CheckKernel(kernel));
  return lines;
}

Result<SourceLines> SourceLines::OfProcess(pid_t pid) {
  SourceLines lines(Begin(kProcessCallbacks));
  if (!lines.dwfl_ || dwfl_linux_proc_report(lines.dwfl_.get(), pid) != 0 ||
      dwfl_report_end(lines.dwfl_.get(), nullptr, nullptr) != 0) {
    return NotUnderstood(StrCat("process ", pid));
  }
  return lines;
}

int SourceLines::FileWith(const char* path) {
  auto name = KernelPath(path);
  auto known = places_.find(name);
  if (known != places_.end()) return known->second;
  files_.emplace_back(name);
  return places_.emplace(name, static_cast<int>(files_.size()) - 1).first->second;
}

bool SourceLines::Add(uint64_t address, uint64_t size, std::set<SourceLine>& lines) {
  Dwarf_Addr bias = 0;
  auto* unit = UnitAt(dwfl_.get(), address, bias);
  Dwarf_Lines* rows = nullptr;
  size_t count = 0;
  if (unit == nullptr || dwarf_getsrclines(unit, &rows, &count) != 0) return false;
  address -= bias;
  auto address_of = [rows](size_t row) {
    Dwarf_Addr found = 0;
    dwarf_lineaddr(dwarf_onesrcline(rows, row), &found);
    return found;
  };
  // They are sorted by address.
  auto all = std::views::iota(size_t{0}, count);
  auto first = std::ranges::lower_bound(all, address, {}, address_of);
  for (size_t row : std::ranges::subrange(first, all.end())) {
    if (address_of(row) >= address + size) break;
    auto* one = dwarf_onesrcline(rows, row);
    int number = 0;
    bool end = false;
    const char* file = dwarf_linesrc(one, nullptr, nullptr);
    dwarf_lineendsequence(one, &end);
    dwarf_lineno(one, &number);
    if (file != nullptr && number > 0 && !end) lines.insert({FileWith(file), number});
  }
  return true;
}

std::string_view KernelPath(std::string_view path) {
  constexpr std::array kFolders = {"arch",    "block", "certs",    "crypto",   "drivers", "fs",
                                   "include", "init",  "io_uring", "ipc",      "kernel",  "lib",
                                   "mm",      "net",   "rust",     "security", "sound",   "virt"};
  for (size_t at = 0; at < path.size();) {
    auto slash = path.find('/', at);
    if (slash == std::string_view::npos) break;
    if (std::ranges::find(kFolders, path.substr(at, slash - at)) != kFolders.end())
      return path.substr(at);
    at = slash + 1;
  }
  return path;
}

}  // namespace kiste::bench
