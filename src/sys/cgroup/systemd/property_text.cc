// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/systemd/property_text.h"

#include <limits>
#include <optional>

#include "base/strings.h"

namespace kiste::sys::cgroup::systemd {

namespace {

constexpr std::string_view kPrefix = "org.systemd.property.";
constexpr int kMaxDepth = 16;

struct TypeWord {
  std::string_view word;
  char type;
};
constexpr TypeWord kTypeWords[] = {
    {"boolean", 'b'},    {"byte", 'y'},      {"int16", 'n'},  {"uint16", 'q'}, {"int32", 'i'},
    {"uint32", 'u'},     {"int64", 'x'},     {"uint64", 't'}, {"double", 'd'}, {"string", 's'},
    {"objectpath", 'o'}, {"signature", 'g'}, {"handle", 'h'},
};

struct Range {
  int64_t least;
  uint64_t most;
};
// Of an integer type; nothing for other types.
std::optional<Range> RangeOf(char type) {
  switch (type) {
    case 'y':
      return Range{0, UINT8_MAX};
    case 'n':
      return Range{INT16_MIN, INT16_MAX};
    case 'q':
      return Range{0, UINT16_MAX};
    case 'i':
    case 'h':
      return Range{INT32_MIN, INT32_MAX};
    case 'u':
      return Range{0, UINT32_MAX};
    case 'x':
      return Range{INT64_MIN, INT64_MAX};
    case 't':
      return Range{0, UINT64_MAX};
    default:
      return std::nullopt;
  }
}

size_t WidthOf(char type) {
  return type == 'y' ? 1 : type == 'n' || type == 'q' ? 2 : type == 'x' || type == 't' ? 8 : 4;
}

// Reads from the beginning of `rest_`. A `type` is what the value must be, or "" for any.
class TextParser {
 public:
  explicit TextParser(std::string_view text) : text_(text), rest_(text) {}

  Result<dbus::Value> Parse() {
    auto value = TRY(ParseValue("", 0));
    SkipSpace();
    if (!rest_.empty()) return Expected("the end");
    return value;
  }

 private:
  std::unexpected<Error> Expected(std::string_view what) const {
    return Invalid(StrCat("expected ", what, " at character ", text_.size() - rest_.size() + 1,
                          " of ", Quote(text_)));
  }
  void SkipSpace() {
    constexpr std::string_view kSpace = " \t\n\v\f\r";
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
  }
  bool Take(char letter) {
    SkipSpace();
    if (!rest_.starts_with(letter)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Letters, digits and what numbers have besides.
  std::string_view TakeWord() {
    size_t length = 0;
    while (length < rest_.size() &&
           (IsAlphanumeric(rest_[length]) ||
            std::string_view("+-.").find(rest_[length]) != std::string_view::npos)) {
      ++length;
    }
    auto word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return word;
  }

  Result<dbus::Value> ParseValue(std::string_view type, int depth) {
    SkipSpace();
    if (depth > kMaxDepth) return Expected("fewer brackets");
    if (rest_.empty()) return Expected("a value");
    if (rest_[0] == '@') return ParseTyped(type, depth);
    if (rest_[0] == '[') return ParseArray(type, depth);
    if (rest_[0] == '(') return ParseTuple(type, depth);
    if (rest_[0] == '\'' || rest_[0] == '"') return ParseText(type);
    return ParseWord(type, depth);
  }

  // @type value
  Result<dbus::Value> ParseTyped(std::string_view type, int depth) {
    rest_.remove_prefix(1);
    size_t length = dbus::CompleteType(rest_);
    if (length == 0 || length > 255) return Expected("a type");
    auto own = rest_.substr(0, length);
    if (!type.empty() && own != type) return Expected(StrCat("type ", type));
    rest_.remove_prefix(length);
    return ParseValue(own, depth + 1);
  }

  Result<dbus::Value> ParseArray(std::string_view type, int depth) {
    if (!type.empty() && (type[0] != 'a' || type[1] == '{')) return Expected(StrCat("type ", type));
    Take('[');
    std::string element(type.empty() ? "" : type.substr(1));
    std::vector<dbus::Value> elements;
    while (!Take(']')) {
      if (!elements.empty() && !Take(',')) return Expected("a comma or ]");
      elements.push_back(TRY(ParseValue(element, depth + 1)));
      if (element.empty()) element = elements[0].signature;
    }
    if (element.empty()) return Expected("a type before an empty array, like @as []");
    return dbus::Array(element, std::move(elements));
  }

  Result<dbus::Value> ParseTuple(std::string_view type, int depth) {
    if (!type.empty() && type[0] != '(') return Expected(StrCat("type ", type));
    Take('(');
    std::string_view left = type.empty() ? type : type.substr(1, type.size() - 2);
    std::vector<dbus::Value> members;
    while (!Take(')')) {
      if (!members.empty() && !Take(',')) return Expected("a comma or )");
      if (!members.empty() && Take(')')) break;  // (x,)
      if (!type.empty() && left.empty()) return Expected(")");
      auto member = left.substr(0, dbus::CompleteType(left));
      members.push_back(TRY(ParseValue(member, depth + 1)));
      left.remove_prefix(member.size());
    }
    if (members.empty() || !left.empty()) return Expected("another member");
    return dbus::Struct(std::move(members));
  }

  Result<dbus::Value> ParseText(std::string_view type) {
    char quote = rest_[0];
    rest_.remove_prefix(1);
    if (!type.empty() && type != "s" && type != "o" && type != "g")
      return Expected(StrCat("type ", type));
    std::string text;
    while (!Empty() && rest_[0] != quote) {
      char letter = rest_[0];
      rest_.remove_prefix(1);
      if (letter == '\\') {
        if (Empty()) break;
        letter = Unescaped(rest_[0]);
        rest_.remove_prefix(1);
      }
      if (letter == '\0') return Expected("a text without NUL");
      text += letter;
    }
    if (Empty()) return Expected("the closing quote");
    rest_.remove_prefix(1);
    if (type == "g" && !dbus::IsSignature(text)) return Expected("a signature");
    if (type == "o" && !text.starts_with('/')) return Expected("an object path");
    return dbus::Value{type.empty() ? "s" : std::string(type), std::move(text)};
  }
  bool Empty() const { return rest_.empty(); }
  static char Unescaped(char letter) {
    constexpr std::string_view kNames = "abfnrtv", kLetters = "\a\b\f\n\r\t\v";
    size_t at = kNames.find(letter);
    return at == std::string_view::npos ? letter : kLetters[at];
  }

  // A boolean, a number, or a type's word with a value behind it.
  Result<dbus::Value> ParseWord(std::string_view type, int depth) {
    auto before = rest_;
    auto word = TakeWord();
    if ((word == "true" || word == "false") && (type.empty() || type == "b")) {
      return dbus::Bool(word == "true");
    }
    for (const auto& [name, letter] : kTypeWords) {
      if (word != name) continue;
      std::string own(1, letter);
      if (!type.empty() && type != own) break;
      return ParseValue(own, depth + 1);
    }
    auto number = ParseNumber(word, type);
    if (number) return *std::move(number);
    rest_ = before;
    return Expected(type.empty() ? "a value" : StrCat("a value of type ", type));
  }

  static std::optional<dbus::Value> ParseNumber(std::string_view word, std::string_view type) {
    bool real = word.find('.') != std::string_view::npos;
    if (type == "d" || (type.empty() && real)) {
      auto number = ParseReal(word);
      if (!number) return std::nullopt;
      return dbus::Value{"d", *number};
    }
    char letter = type.empty() ? 'i' : type[0];
    auto range = RangeOf(letter);
    if (!range || type.size() > 1) return std::nullopt;
    uint64_t bits;
    if (word.starts_with('-')) {
      auto number = ParseInt(word);
      if (!number || *number < range->least) return std::nullopt;
      bits = static_cast<uint64_t>(*number);
    } else {
      auto number = word.starts_with("0x") ? ParseUint(word.substr(2), 16) : ParseUint(word);
      if (!number || *number > range->most) return std::nullopt;
      bits = *number;
    }
    size_t width = WidthOf(letter);
    if (width < 8) bits &= (uint64_t{1} << (8 * width)) - 1;
    return dbus::Value{std::string(1, letter), bits};
  }

  std::string_view text_, rest_;
};

Status CheckName(std::string_view name) {
  bool letters = name.size() >= 3;
  for (char letter : name) {
    letters = letters && ((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z'));
  }
  if (letters) return {};
  return Invalid(StrCat("expected a property name of three letters or more, found ", Quote(name)));
}

bool IsInSeconds(std::string_view name) {
  if (name.size() < 4 || !name.ends_with("Sec")) return false;
  char before = name[name.size() - 4];
  return before >= 'a' && before <= 'z';  // not …USec
}

Result<dbus::Value> Microseconds(const dbus::Value& seconds) {
  constexpr uint64_t kPerSecond = 1'000'000;
  char type = seconds.signature[0];
  if (type == 'd') {
    double number = std::get<double>(seconds.content) * kPerSecond;
    if (number < 0 || number >= 0x1p64) return Invalid("expected a number of seconds");
    return dbus::Uint64(static_cast<uint64_t>(number));
  }
  auto range = RangeOf(type);
  if (!range || seconds.signature.size() > 1) return Invalid("expected a number of seconds");
  uint64_t number = std::get<uint64_t>(seconds.content);
  bool negative = range->least < 0 && number > range->most;
  if (negative || number > UINT64_MAX / kPerSecond) return Invalid("expected a number of seconds");
  return dbus::Uint64(number * kPerSecond);
}

Result<Property> FromAnnotation(std::string_view name, std::string_view text) {
  TRY(CheckName(name));
  Property property{std::string(name), TRY(ParsePropertyText(text))};
  if (!IsInSeconds(name)) return property;
  property.name.insert(property.name.size() - 3, "U");
  property.value = TRY(Microseconds(property.value));
  return property;
}

}  // namespace

Result<dbus::Value> ParsePropertyText(std::string_view text) { return TextParser(text).Parse(); }

Result<std::vector<Property>> PropertiesFromAnnotations(
    const std::map<std::string, std::string>& annotations) {
  std::vector<Property> properties;
  for (const auto& [key, text] : annotations) {
    if (!key.starts_with(kPrefix)) continue;
    auto property = FromAnnotation(std::string_view(key).substr(kPrefix.size()), text);
    if (!property) return Context(std::move(property), StrCat("annotations: ", key));
    properties.push_back(std::move(*property));
  }
  return properties;
}

}  // namespace kiste::sys::cgroup::systemd
