// SPDX-License-Identifier: Apache-2.0
//
// Thompson's construction: the expression becomes steps whose jumps are relative, so that a part
// can be moved and repeated as it is.
#include "base/pattern.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/strings.h"

namespace kiste {

namespace {

constexpr size_t kMostBytes = 1024, kMostSteps = 4096;
constexpr int kDeepest = 100;
constexpr int kMostRepeats = 255;  // RE_DUP_MAX of regex(7)
constexpr int kNoEnd = -1;

using std::string_view_literals::operator""sv;

// Without a locale: pairs of a first and a last character.
struct CharacterClass {
  std::string_view name, ranges;
};
constexpr CharacterClass kClasses[] = {
    {"alnum", "09AZaz"},   {"alpha", "AZaz"},   {"blank", "\t\t  "}, {"cntrl", "\0\x1f\x7f\x7f"sv},
    {"digit", "09"},       {"graph", "!~"},     {"lower", "az"},     {"print", " ~"},
    {"punct", "!/:@[`{~"}, {"space", "\t\r  "}, {"upper", "AZ"},     {"xdigit", "09AFaf"},
};

}  // namespace

class PatternCompiler {
 public:
  explicit PatternCompiler(std::string_view text) : text_(text) {}

  Result<std::vector<Pattern::Step>> Run() {
    if (text_.size() > kMostBytes) return Wrong("expected at most 1024 bytes");
    Steps steps = TRY(Alternatives(0));
    if (at_ < text_.size()) return Wrong("a ) without its (");
    return steps;
  }

 private:
  using Kind = Pattern::Kind;
  using Step = Pattern::Step;
  using Steps = std::vector<Step>;

  std::unexpected<Error> Wrong(std::string_view what) const {
    return Invalid(StrCat("regular expression ", Quote(text_, 60), ": at byte ", at_, ": ", what));
  }
  bool Next(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  static int Size(const Steps& steps) { return static_cast<int>(steps.size()); }
  static void Append(Steps& to, const Steps& from) {
    to.insert(to.end(), from.begin(), from.end());
  }

  // a|b: either way from the start, and over b at the end of a.
  Result<Steps> Alternatives(int depth) {
    if (depth > kDeepest) return Wrong("nested too deep");
    Steps all = TRY(Sequence(depth));
    while (Next('|')) {
      Steps other = TRY(Sequence(depth));
      all.insert(all.begin(), {Kind::kSplit, 1, Size(all) + 2, {}});
      all.push_back({Kind::kJump, Size(other) + 1, 0, {}});
      Append(all, other);
      TRY(CheckSize(all));
    }
    return all;
  }

  Result<Steps> Sequence(int depth) {
    Steps all;
    while (at_ < text_.size() && text_[at_] != '|' && text_[at_] != ')') {
      Append(all, TRY(Repeated(depth)));
      TRY(CheckSize(all));
    }
    return all;
  }

  Status CheckSize(const Steps& steps) const {
    if (steps.size() <= kMostSteps) return {};
    return Wrong("the expression is too large");
  }

  struct Bounds {
    int least, most;  // most: kNoEnd
  };

  Result<Steps> Repeated(int depth) {
    Steps once = TRY(Atom(depth));
    while (auto bounds = TRY(ReadBounds())) {
      auto copies = static_cast<size_t>(std::max(bounds->least, bounds->most)) + 1;
      if (once.size() * copies > kMostSteps) return Wrong("the expression is too large");
      once = Repeat(once, *bounds);
    }
    return once;
  }

  // least times the part itself; then, for each time more that is allowed, a way around it.
  static Steps Repeat(const Steps& once, Bounds bounds) {
    Steps all;
    for (int i = 0; i < bounds.least; ++i) Append(all, once);
    if (bounds.most == kNoEnd) {
      all.push_back({Kind::kSplit, 1, Size(once) + 2, {}});
      Append(all, once);
      all.push_back({Kind::kJump, -(Size(once) + 1), 0, {}});
    }
    for (int i = bounds.least; i < bounds.most; ++i) {
      all.push_back({Kind::kSplit, 1, Size(once) + 1, {}});
      Append(all, once);
    }
    return all;
  }

  Result<std::optional<Bounds>> ReadBounds() {
    if (Next('*')) return Bounds{0, kNoEnd};
    if (Next('+')) return Bounds{1, kNoEnd};
    if (Next('?')) return Bounds{0, 1};
    if (!Next('{')) return std::nullopt;
    size_t end = text_.find('}', at_);
    if (end == std::string_view::npos) return Wrong("a { without its }");
    auto parts = Split(text_.substr(at_, end - at_), ',');
    auto least = ParseUint(parts[0]);
    auto most = parts.size() < 2 ? least : ParseUint(parts[1]);
    bool open = parts.size() == 2 && parts[1].empty();
    if (!least || parts.size() > 2 || (!open && !most) || *least > kMostRepeats ||
        (!open && (*most > kMostRepeats || *most < *least))) {
      return Wrong("expected {N}, {N,} or {N,M} with numbers up to 255");
    }
    at_ = end + 1;
    return Bounds{static_cast<int>(*least), open ? kNoEnd : static_cast<int>(*most)};
  }

  Result<Steps> Atom(int depth) {
    char c = text_[at_];
    if (std::strchr("*+?{", c) != nullptr) return Wrong("nothing to repeat");
    ++at_;
    if (c == '(') {
      Steps inside = TRY(Alternatives(depth + 1));
      if (!Next(')')) return Wrong("a ( without its )");
      return inside;
    }
    if (c == '^') return Steps{{Kind::kStart, 1, 1, {}}};
    if (c == '$') return Steps{{Kind::kEnd, 1, 1, {}}};
    Step step{Kind::kByte, 1, 1, {}};
    if (c == '.') {
      step.bytes.set();
    } else if (c == '[') {
      step.bytes = TRY(Set());
    } else {
      if (c == '\\') c = TRY(Escaped());
      step.bytes.set(static_cast<unsigned char>(c));
    }
    return Steps{step};
  }

  Result<char> Escaped() {
    if (at_ >= text_.size()) return Wrong("nothing behind the backslash");
    char c = text_[at_++];
    if (!IsAlphanumeric(c)) return c;
    return Wrong("back-references and classes like \\d are not known");
  }

  // [abc], [^a-z], []x], [[:digit:]_]; the bracket has been read.
  Result<std::bitset<256>> Set() {
    std::bitset<256> set;
    bool inverse = Next('^');
    for (bool first = true; first || at_ >= text_.size() || text_[at_] != ']'; first = false) {
      if (at_ >= text_.size()) return Wrong("a [ without its ]");
      if (text_.substr(at_).starts_with("[:")) {
        TRY(AddClass(set));
        continue;
      }
      unsigned low = static_cast<unsigned char>(text_[at_++]), high = low;
      if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
        high = static_cast<unsigned char>(text_[at_ + 1]);
        at_ += 2;
      }
      if (high < low) return Wrong("a range that ends before it begins");
      for (unsigned byte = low; byte <= high; ++byte) set.set(byte);
    }
    ++at_;
    return inverse ? ~set : set;
  }

  Status AddClass(std::bitset<256>& set) {
    std::string_view rest = text_.substr(at_ + 2);
    for (const auto& known : kClasses) {
      if (!rest.starts_with(known.name) || !rest.substr(known.name.size()).starts_with(":]"))
        continue;
      for (size_t i = 0; i < known.ranges.size(); i += 2) {
        for (char c = known.ranges[i];; ++c) {
          set.set(static_cast<unsigned char>(c));
          if (c == known.ranges[i + 1]) break;
        }
      }
      at_ += known.name.size() + 4;
      return {};
    }
    return Wrong("expected a class like [:alnum:]");
  }

  std::string_view text_;
  size_t at_ = 0;
};

Result<Pattern> Pattern::Compile(std::string_view text) {
  Pattern pattern;
  pattern.steps_ = TRY(PatternCompiler(text).Run());
  return pattern;
}

// The steps at which the ways through the expression stand before one byte of the text.
class Pattern::Threads {
 public:
  explicit Threads(const std::vector<Step>& steps) : steps_(&steps), there_(steps.size() + 1) {}

  void Clear() {
    there_.assign(there_.size(), false);
    waiting_.clear();
  }
  // Adds `step` and all that is reached from it without a byte. True when that is the match.
  bool Add(size_t step, bool at_start, bool at_end) {
    std::vector<size_t> open = {step};
    while (!open.empty()) {
      size_t at = open.back();
      open.pop_back();
      if (there_[at]) continue;
      there_[at] = true;
      if (at == steps_->size()) return true;
      const Step& here = (*steps_)[at];
      auto go = [&](int distance) { open.push_back(at + static_cast<size_t>(distance)); };
      if (here.kind == Kind::kByte) waiting_.push_back(at);
      if (here.kind == Kind::kSplit) go(here.second);
      bool passes = here.kind == Kind::kSplit || here.kind == Kind::kJump ||
                    (here.kind == Kind::kStart && at_start) || (here.kind == Kind::kEnd && at_end);
      if (passes) go(here.first);
    }
    return false;
  }
  const std::vector<size_t>& waiting() const { return waiting_; }

 private:
  const std::vector<Step>* steps_;
  std::vector<bool> there_;
  std::vector<size_t> waiting_;  // at a kByte
};

bool Pattern::Matches(std::string_view text) const {
  Threads now(steps_), next(steps_);
  for (size_t i = 0;; ++i) {
    if (now.Add(0, i == 0, i == text.size())) return true;
    if (i == text.size()) return false;
    next.Clear();
    for (size_t step : now.waiting()) {
      if (!steps_[step].bytes.test(static_cast<unsigned char>(text[i]))) continue;
      if (next.Add(step + 1, false, i + 1 == text.size())) return true;
    }
    std::swap(now, next);
  }
}

}  // namespace kiste
