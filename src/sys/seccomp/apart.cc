// SPDX-License-Identifier: Apache-2.0
#include "sys/seccomp/apart.h"

#include <linux/bpf_common.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace kiste::sys {

namespace {

// What the rules of one call have.
struct Shape {
  size_t rules = 0;
  bool always = false;                  // a rule without conditions
  bool ordered = false;                 // <, <=, >, >=
  std::set<uint32_t> negated, several;  // actions of rules with !=, with more than one condition

  bool Mistaken() const {
    bool both = std::ranges::any_of(negated, [&](uint32_t it) { return several.contains(it); });
    return rules > 1 && (ordered || both);
  }
};

void Note(const Rule& rule, Shape& shape) {
  ++shape.rules;
  if (rule.conditions.empty()) shape.always = true;
  if (rule.conditions.size() > 1) shape.several.insert(rule.action);
  for (const auto& condition : rule.conditions) {
    if (condition.op == SCMP_CMP_NE) {
      shape.negated.insert(rule.action);
    } else if (condition.op != SCMP_CMP_EQ && condition.op != SCMP_CMP_MASKED_EQ) {
      shape.ordered = true;
    }
  }
}

auto Key(const scmp_arg_cmp& condition) {
  return std::tuple(condition.arg, condition.op, condition.datum_a, condition.datum_b);
}

bool SameConditions(const Rule& a, const Rule& b) {
  return a.number == b.number &&
         std::ranges::is_permutation(a.conditions, b.conditions, {}, Key, Key);
}

// The kernel's order of actions: the smallest as a signed number wins. The profile's among equals.
auto Strictness(const Rule& rule) {
  return std::pair(static_cast<int32_t>(rule.action), rule.index);
}

// A program with one rule; what the rule does not meet, on whatever architecture, ends in
// `otherwise`.
Result<std::vector<sock_filter>> CompileAlone(const Rule& rule,
                                              std::span<const uint32_t> architectures,
                                              uint32_t otherwise) {
  Filter filter(seccomp_init(otherwise));
  if (!filter) return SystemError(ENOMEM, "seccomp_init");
  int result = seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, otherwise);
  if (result < 0) return LibraryError(result, "seccomp_attr_set ACT_BADARCH");
  for (uint32_t token : architectures) {
    result = seccomp_arch_add(filter.get(), token);
    if (result < 0 && result != -EEXIST) return LibraryError(result, "seccomp_arch_add");
  }
  TRY(AddRule(filter, rule));
  return Export(filter);
}

// Ends of `program` that return `action` become jumps behind it.
void Continue(std::vector<sock_filter>& program, uint32_t action) {
  for (size_t i = 0; i < program.size(); ++i) {
    if (program[i].code != (BPF_RET | BPF_K) || program[i].k != action) continue;
    program[i] = BPF_STMT(BPF_JMP | BPF_JA, static_cast<uint32_t>(program.size() - i - 1));
  }
}

}  // namespace

std::vector<Rule> TakeMistaken(std::vector<Rule>& rules) {
  std::map<int, Shape> shapes;
  for (const auto& rule : rules) Note(rule, shapes[rule.number]);
  std::vector<Rule> kept;
  std::vector<Rule> taken;
  for (auto& rule : rules) {
    const Shape& shape = shapes[rule.number];
    if (!shape.Mistaken() || rule.conditions.empty()) {
      kept.push_back(std::move(rule));
    } else if (!shape.always) {
      taken.push_back(std::move(rule));
    }
  }
  rules = std::move(kept);
  return taken;
}

Status AppendApart(std::vector<Rule> rules, std::span<const uint32_t> architectures,
                   std::vector<sock_filter>& filter) {
  std::ranges::sort(rules, {}, Strictness);
  for (size_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules[i];
    auto before = std::span(rules).first(i);
    auto same =
        std::ranges::find_if(before, [&](const Rule& it) { return SameConditions(it, rule); });
    if (same != before.end() && same->action == rule.action) continue;
    if (same != before.end()) return Contradiction(same->index > rule.index ? *same : rule);
    uint32_t otherwise = rule.action == SCMP_ACT_TRACE(0) ? SCMP_ACT_TRACE(1) : SCMP_ACT_TRACE(0);
    auto section = TRY(CompileAlone(rule, architectures, otherwise));
    Continue(section, otherwise);
    std::ranges::copy(section, std::back_inserter(filter));
    TRY(CheckLength(filter));
  }
  return {};
}

}  // namespace kiste::sys
