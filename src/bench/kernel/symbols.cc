// SPDX-License-Identifier: Apache-2.0
#include "bench/kernel/symbols.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

constexpr size_t kMostText = size_t{256} << 20;
// The last function of a module has no next one near.
constexpr uint64_t kMostSize = 64 << 10;

struct Line {
  uint64_t address = 0;
  char type = 0;
  std::string_view name, module;
};

// "ffffffff81000000 T _stext", "ffffffffc0001000 t f	[overlay]".
bool ParseLine(std::string_view text, Line& line) {
  auto space = text.find(' ');
  if (space == std::string_view::npos || text.size() < space + 4) return false;
  const char* end = text.data() + space;
  auto [stopped, error] =
      std::from_chars(text.data(), end, line.address, 16);  // NOLINT: not printf
  if (error != std::errc() || stopped != end) return false;
  line.type = text[space + 1];
  auto rest = text.substr(space + 3);
  auto tab = rest.find('\t');
  line.name = rest.substr(0, tab);
  line.module = tab == std::string_view::npos ? "" : Trim(rest.substr(tab));
  if (line.module.starts_with('[')) line.module = line.module.substr(1, line.module.size() - 2);
  return true;
}

bool IsText(char type) { return type == 'T' || type == 't' || type == 'W' || type == 'w'; }

// Where the kernel's own running text lies; what is outside (start-up code) is gone after the boot.
struct Bounds {
  uint64_t first = 0, end = UINT64_MAX;
  void See(const Line& line) {
    if (!line.module.empty()) return;
    if (line.name == "_stext") first = line.address;
    if (line.name == "_etext") end = line.address;
  }
};

void SetSizes(std::vector<KernelFunction>& functions, uint64_t end) {
  for (size_t at = 0; at < functions.size(); ++at) {
    auto& function = functions[at];
    bool last = at + 1 == functions.size() || functions[at + 1].module != function.module;
    uint64_t next = last ? (function.module.empty() ? end : UINT64_MAX) : functions[at + 1].address;
    function.size = std::min(next - function.address, kMostSize);
  }
}

}  // namespace

Result<Symbols> Symbols::Read() {
  auto file = TRY(sys::Open("/proc/kallsyms", O_RDONLY | O_CLOEXEC));
  auto text = TRY(sys::ReadAll(file.get(), "/proc/kallsyms", kMostText));
  return Parse(text);
}

Result<Symbols> Symbols::Parse(std::string_view kallsyms) {
  Symbols symbols;
  Bounds bounds;
  std::vector<Line> lines;
  for (auto text : Split(kallsyms, '\n')) {
    Line line;
    // What bpf(2) has compiled is nobody's source.
    if (!ParseLine(text, line) || !IsText(line.type) || line.module == "bpf") continue;
    bounds.See(line);
    lines.push_back(line);
  }
  // By address; the names of one in the order of the text, in which they lie.
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return std::pair(a.address, a.name.data()) < std::pair(b.address, b.name.data());
  });
  for (const auto& line : lines) {
    bool own = line.module.empty();
    if (line.address == 0 || line.name == "_text" || line.name == "_stext") continue;
    if (own && (line.address < bounds.first || line.address >= bounds.end)) continue;
    if (!symbols.functions_.empty() && symbols.functions_.back().address == line.address) continue;
    symbols.functions_.push_back(
        {line.address, 0, std::string(line.name), std::string(line.module)});
  }
  if (symbols.functions_.empty()) {
    return Fail(ErrorKind::kUnsupported,
                "/proc/kallsyms: expected addresses of functions, found none (kptr_restrict)");
  }
  SetSizes(symbols.functions_, bounds.end);
  symbols.text_start_ = bounds.first;
  symbols.text_end_ = bounds.end;
  for (const auto& function : symbols.functions_) symbols.text_ += function.size;
  return symbols;
}

int Symbols::Find(uint64_t address) const {
  auto after = std::upper_bound(
      functions_.begin(), functions_.end(), address,
      [](uint64_t wanted, const KernelFunction& one) { return wanted < one.address; });
  if (after == functions_.begin()) return -1;
  --after;
  if (address - after->address >= after->size) return -1;
  return static_cast<int>(after - functions_.begin());
}

}  // namespace kiste::bench
