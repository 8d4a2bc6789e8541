// SPDX-License-Identifier: Apache-2.0
#include "bench/kernel/subsystem.h"

#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "bench/kernel/anchors.h"

namespace kiste::bench {

namespace {

using Addresses = std::map<std::string_view, uint64_t>;
using Directories = std::map<uint64_t, std::string>;

// A name that several functions have is no anchor: 0.
Addresses ByName(const Symbols& symbols) {
  Addresses addresses;
  for (const auto& function : symbols.functions()) {
    if (!function.module.empty()) continue;
    auto [at, added] = addresses.emplace(function.name, function.address);
    if (!added) at->second = 0;
  }
  return addresses;
}

Directories Found(const Addresses& addresses) {
  Directories found;
  for (const auto& [directory, functions] : KernelAnchors()) {
    for (auto name : Split(functions, ' ')) {
      auto at = addresses.find(name);
      if (at != addresses.end() && at->second != 0) found[at->second] = directory;
    }
  }
  return found;
}

// The seldom part of a function lies far from the rest: the rest counts.
uint64_t Home(const KernelFunction& function, const Addresses& addresses) {
  std::string_view name = function.name;
  if (!name.ends_with(".cold")) return function.address;
  name.remove_suffix(5);
  while (true) {
    auto at = addresses.find(name);
    if (at != addresses.end() && at->second != 0) return at->second;
    auto dot = name.rfind('.');
    if (dot == std::string_view::npos) return function.address;
    name = name.substr(0, dot);
  }
}

std::string Nearest(uint64_t address, const Directories& found) {
  if (found.empty()) return "unknown";
  auto after = found.upper_bound(address);
  if (after == found.begin()) return after->second;
  auto before = std::prev(after);
  if (after == found.end() || address - before->first <= after->first - address)
    return before->second;
  return after->second;
}

}  // namespace

std::string InMetric(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

Subsystems::Subsystems(const Symbols& symbols) {
  auto addresses = ByName(symbols);
  auto found = Found(addresses);
  for (const auto& function : symbols.functions()) {
    names_.push_back(InMetric(function.module.empty() ? Nearest(Home(function, addresses), found)
                                                      : StrCat("module-", function.module)));
  }
}

}  // namespace kiste::bench
