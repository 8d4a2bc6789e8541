// SPDX-License-Identifier: Apache-2.0
#include "sys/dbus/address.h"

#include <optional>

#include "base/strings.h"

namespace kiste::sys::dbus {

namespace {

std::optional<std::string> Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    auto byte = ParseUint(text.substr(i + 1, 2), 16);
    if (!byte || *byte == 0) return std::nullopt;
    plain += static_cast<char>(*byte);
    i += 2;
  }
  return plain;
}

// The address behind "unix:"; nothing for kinds that only a server can use (dir, tmpdir).
Result<std::optional<UnixAddress>> ParseUnix(std::string_view keys,
                                             const std::string& runtime_directory) {
  for (auto pair : Split(keys, ',')) {
    size_t equals = pair.find('=');
    auto value =
        equals == std::string_view::npos ? std::nullopt : Unescape(pair.substr(equals + 1));
    if (!value || value->empty()) {
      return Invalid(StrCat("D-Bus address: expected KEY=VALUE, found ", Quote(pair)));
    }
    auto key = pair.substr(0, equals);
    if (key == "path") return UnixAddress{std::move(*value), false};
    if (key == "abstract") return UnixAddress{std::move(*value), true};
    if (key == "runtime" && *value == "yes" && !runtime_directory.empty()) {
      return UnixAddress{StrCat(runtime_directory, "/bus"), false};
    }
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<UnixAddress>> ParseAddresses(std::string_view list,
                                                const std::string& runtime_directory) {
  constexpr std::string_view kUnix = "unix:";
  std::vector<UnixAddress> addresses;
  for (auto address : Split(list, ';')) {
    if (!address.starts_with(kUnix)) continue;
    auto found = TRY(ParseUnix(address.substr(kUnix.size()), runtime_directory));
    if (found) addresses.push_back(std::move(*found));
  }
  if (!addresses.empty()) return addresses;
  return Invalid(StrCat("D-Bus address: expected a Unix socket, found ", Quote(list)));
}

std::string EscapeAddress(std::string_view path) {
  constexpr std::string_view kPlain = "-_/.\\*";
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (char letter : path) {
    auto byte = static_cast<unsigned char>(letter);
    if (IsAlphanumeric(letter) || kPlain.find(letter) != std::string::npos) {
      text += letter;
    } else {
      text += StrCat('%', kDigits[byte / 16], kDigits[byte % 16]);
    }
  }
  return text;
}

}  // namespace kiste::sys::dbus
