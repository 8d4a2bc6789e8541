// SPDX-License-Identifier: Apache-2.0
//
// Rules that libseccomp compiles wrongly when it sees them together, each compiled alone. Up to
// 2.5.4 at least its tree of comparisons splits every ordered or negated one in two halves of 32
// bits and then mistakes the halves of different rules for one another: calls that the profile
// refuses get through, others are refused that it allows, and with some pairs adding the second
// rule does not end. One rule alone is always right, and so are any number that only compare for
// equality (checked at random against the words of the profile; apart_test.cc).
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "sys/seccomp/library.h"

namespace kiste::sys {

// Takes out of `rules` those of the calls in danger: with several rules of which one compares with
// <, <=, >, >=, or of which two of one action have != and more than one condition. A call that has
// a rule without conditions as well keeps that one alone, for it counts whatever the others say.
std::vector<Rule> TakeMistaken(std::vector<Rule>& rules);

// Appends a section for each of `rules`, that returns its action or goes on to what comes behind.
// The strictest comes first, as the kernel orders actions (seccomp(2)), so that the order in the
// profile does not matter. kInvalid: two with the same conditions and different actions.
Status AppendApart(std::vector<Rule> rules, std::span<const uint32_t> architectures,
                   std::vector<sock_filter>& filter);

}  // namespace kiste::sys
