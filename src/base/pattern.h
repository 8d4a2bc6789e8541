// SPDX-License-Identifier: Apache-2.0
//
// Regular expressions from command lines (`kill --regex`): POSIX extended ones (regex(7)) without
// back-references and collating elements. All ways through the expression are followed at once, so
// the time is bounded by its size times the text's, whatever somebody writes; regcomp(3) and
// std::regex make no such promise.
#pragma once

#include <bitset>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kiste {

class Pattern {
 public:
  // kInvalid says what is wrong and at which byte. An expression has at most 1024 bytes and 4096
  // steps (a{100} has 100).
  static Result<Pattern> Compile(std::string_view text);

  // Whether some part of `text` matches; "^" and "$" stand for its ends.
  bool Matches(std::string_view text) const;

 private:
  friend class PatternCompiler;
  enum class Kind : uint8_t { kByte, kSplit, kJump, kStart, kEnd };
  struct Step {
    Kind kind;
    int first = 1, second = 1;  // where to go on, counted from here
    std::bitset<256> bytes;     // kByte: which
  };
  class Threads;

  std::vector<Step> steps_;  // one behind the last one is the match
};

}  // namespace kiste
