// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/device_rules.h"

#include <algorithm>

#include "base/strings.h"

namespace kiste::sys::cgroup {

namespace {

std::string Describe(const DeviceRule& rule) {
  auto number = [](int64_t n) { return n < 0 ? std::string("*") : StrCat(n); };
  return StrCat(rule.allow ? "allow " : "deny ", rule.type, " ", number(rule.major), ":",
                number(rule.minor), " ", rule.access);
}

bool Covers(int64_t wide, int64_t narrow) { return wide < 0 || wide == narrow; }
bool Meets(int64_t a, int64_t b) { return a < 0 || b < 0 || a == b; }

void Add(std::vector<DeviceException>& exceptions, const DeviceException& added) {
  for (auto& exception : exceptions) {
    bool same = exception.type == added.type && exception.major == added.major &&
                exception.minor == added.minor;
    if (same) {
      exception.access |= added.access;
      return;
    }
  }
  exceptions.push_back(added);
}

// Takes `removed` out of the exceptions; false when that would need an exception from an exception.
bool Remove(std::vector<DeviceException>& exceptions, const DeviceException& removed) {
  for (auto& exception : exceptions) {
    if (exception.type != removed.type || (exception.access & removed.access) == 0) continue;
    if (!Meets(removed.major, exception.major) || !Meets(removed.minor, exception.minor)) continue;
    bool whole = Covers(removed.major, exception.major) && Covers(removed.minor, exception.minor);
    if (!whole) return false;
    exception.access &= static_cast<uint8_t>(~removed.access);
  }
  std::erase_if(exceptions, [](const DeviceException& exception) { return exception.access == 0; });
  return true;
}

// What `list` has and `other` has not, an access of a device's or a wildcard's at a time: lines as
// the kernel takes them, which looks for an exception with the very same numbers.
std::vector<std::string> Beyond(const DeviceList& list, const DeviceList& other) {
  std::vector<std::string> lines;
  for (DeviceException exception : list.exceptions) {
    for (const auto& had : other.exceptions) {
      bool same = exception.type == had.type && exception.major == had.major &&
                  exception.minor == had.minor;
      if (same) exception.access &= static_cast<uint8_t>(~had.access);
    }
    if (exception.access != 0) lines.push_back(exception.Text());
  }
  return lines;
}

// "c 1:* rwm"
std::optional<DeviceRule> ParseDeviceLine(std::string_view line) {
  auto words = Split(line, ' ');
  if (words.size() != 3 || words[0].size() != 1) return std::nullopt;
  auto numbers = Split(words[1], ':');
  if (numbers.size() != 2) return std::nullopt;
  auto number = [](std::string_view text) { return text == "*" ? -1 : ParseInt(text); };
  auto major = number(numbers[0]), minor = number(numbers[1]);
  if (!major || !minor) return std::nullopt;
  return DeviceRule{true, words[0][0], *major, *minor, std::string(words[2])};
}

}  // namespace

std::string DeviceException::Text() const {
  auto number = [](int64_t n) { return n < 0 ? std::string("*") : StrCat(n); };
  std::string text = StrCat(type, " ", number(major), ":", number(minor), " ");
  if (access & kDeviceRead) text += 'r';
  if (access & kDeviceWrite) text += 'w';
  if (access & kDeviceMknod) text += 'm';
  return text;
}

Result<uint8_t> CheckDeviceRule(const DeviceRule& rule) {
  auto invalid = [&](std::string_view what) {
    return Invalid(StrCat("devices: ", what, " in rule ", Quote(Describe(rule))));
  };
  if (rule.type != 'a' && rule.type != 'b' && rule.type != 'c') return invalid("unknown type");
  for (int64_t number : {rule.major, rule.minor}) {
    if (number < -1 || number > INT32_MAX) return invalid("impossible number");
  }
  uint8_t access = 0;
  for (char letter : rule.access) {
    if (letter != 'r' && letter != 'w' && letter != 'm') return invalid("unknown access");
    access |= letter == 'r' ? kDeviceRead : letter == 'w' ? kDeviceWrite : kDeviceMknod;
  }
  return access;
}

Result<DeviceList> FoldDeviceRules(const std::vector<DeviceRule>& rules) {
  DeviceList list;
  for (const auto& rule : rules) {
    uint8_t access = TRY(CheckDeviceRule(rule));
    if (rule.type == 'a' && rule.major < 0 && rule.minor < 0 && access == kDeviceAll) {
      list = {rule.allow, {}};
      continue;
    }
    for (char type : {'b', 'c'}) {
      if (access == 0 || (rule.type != 'a' && rule.type != type)) continue;
      DeviceException exception{type, rule.major, rule.minor, access};
      if (rule.allow != list.allow) {
        Add(list.exceptions, exception);
      } else if (!Remove(list.exceptions, exception)) {
        return Fail(ErrorKind::kUnsupported,
                    StrCat("devices: cgroup v1 cannot express the rule ", Quote(Describe(rule)),
                           ", which takes back a part of an earlier rule with a wildcard"));
      }
    }
  }
  return list;
}

Result<DeviceList> ParseDeviceList(std::string_view text) {
  std::vector<DeviceRule> rules;
  for (auto line : Split(Trim(text), '\n')) {
    if (line.empty()) continue;
    auto rule = ParseDeviceLine(line);
    if (!rule) return Fail(ErrorKind::kSystem, StrCat("devices.list: unknown line ", Quote(line)));
    rules.push_back(*std::move(rule));
  }
  return FoldDeviceRules(rules);
}

DeviceChange ChangeDeviceList(const DeviceList& now, const DeviceList& wanted) {
  if (!now.allow && !wanted.allow) {
    return {.allow = Beyond(wanted, now), .deny = Beyond(now, wanted)};
  }
  DeviceChange change{.everything = wanted.allow};
  (wanted.allow ? change.deny : change.allow) = Beyond(wanted, {});
  return change;
}

}  // namespace kiste::sys::cgroup
