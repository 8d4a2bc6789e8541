// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/systemd/unit_name.h"

#include <algorithm>

#include "base/strings.h"

namespace kiste::sys::cgroup::systemd {

namespace {

constexpr std::string_view kSlice = ".slice";
constexpr size_t kMaxUnitName = 255;

bool MayStandInName(char letter) {
  bool alphanumeric = (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
                      (letter >= 'A' && letter <= 'Z');
  return alphanumeric || std::string_view(":-_.\\").find(letter) != std::string_view::npos;
}

Status CheckUnitName(std::string_view name) {
  if (name.size() <= kMaxUnitName && std::ranges::all_of(name, MayStandInName)) return {};
  return Invalid(StrCat("expected a unit name of at most ", kMaxUnitName,
                        " letters, digits and :-_.\\, found ", Quote(name)));
}

// Ids may have a '+', unit names may not: as systemd-escape(1) writes it.
std::string EscapeId(std::string_view id) {
  std::string name;
  for (char letter : id) {
    if (letter == '+') {
      name += "\\x2b";
    } else {
      name += letter;
    }
  }
  return name;
}

}  // namespace

Result<std::string> ExpandSlice(std::string_view slice) {
  if (slice == "-" || slice == "-.slice") return std::string();
  auto invalid = [&] {
    return Invalid(StrCat("expected a slice like a-b.slice, found ", Quote(slice)));
  };
  if (!slice.ends_with(kSlice) || !CheckUnitName(slice)) return invalid();
  std::string path, prefix;
  for (auto part : Split(slice.substr(0, slice.size() - kSlice.size()), '-')) {
    if (part.empty()) return invalid();
    path += StrCat("/", prefix, part, kSlice);
    prefix += StrCat(part, "-");
  }
  return path;
}

Result<UnitPlace> PlaceUnit(std::string_view cgroups_path, std::string_view id, ManagerKind kind) {
  std::string usual = StrCat(":kiste:", EscapeId(id));
  auto parts = Split(cgroups_path.empty() ? usual : cgroups_path, ':');
  if (parts.size() != 3) {
    return Invalid(
        StrCat("expected the form slice:prefix:name that the systemd driver takes, found ",
               Quote(cgroups_path)));
  }
  UnitPlace place;
  place.slice = parts[0];
  if (place.slice.empty()) {
    place.slice = kind == ManagerKind::kUser ? "user.slice" : "system.slice";
  }
  if (place.slice == "-") place.slice = "-.slice";
  std::string slice_path = TRY(ExpandSlice(place.slice));
  if (parts[2].ends_with(kSlice)) {
    // Where a slice is says its name alone.
    place.unit = parts[2];
    place.path = TRY(ExpandSlice(place.unit));
    if (place.path.empty()) return Invalid("expected a slice below the root slice, found -.slice");
    return place;
  }
  place.unit = StrCat(parts[1], "-", parts[2], ".scope");
  TRY(CheckUnitName(place.unit));
  place.path = StrCat(slice_path, "/", place.unit);
  return place;
}

}  // namespace kiste::sys::cgroup::systemd
