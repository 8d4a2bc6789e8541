// SPDX-License-Identifier: Apache-2.0
//
// Tables of names and the numbers that they stand for: what the specification writes as text and
// the kernel takes as a number. Short, so searched from the front.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace kiste::oci {

template <typename T>
struct Name {
  std::string_view name;
  T number;
};

template <typename T, size_t N>
using NameTable = std::array<Name<T>, N>;

template <typename T, size_t N>
constexpr std::optional<T> Find(const NameTable<T, N>& table, std::string_view name) {
  for (const auto& entry : table) {
    if (entry.name == name) return entry.number;
  }
  return std::nullopt;
}

// The name of `number`; "" when it has none.
template <typename T, size_t N>
constexpr std::string_view NameOf(const NameTable<T, N>& table, T number) {
  for (const auto& entry : table) {
    if (entry.number == number) return entry.name;
  }
  return {};
}

// "a, b, c", for errors.
template <typename T, size_t N>
std::string JoinNames(const NameTable<T, N>& table) {
  std::string names;
  for (const auto& entry : table) {
    if (!names.empty()) names += ", ";
    names += entry.name;
  }
  return names;
}

}  // namespace kiste::oci
