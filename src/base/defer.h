// SPDX-License-Identifier: Apache-2.0
//
// Defer runs a deed at the end of its scope unless it was cancelled: the undo of a step that a
// later step's failure must take back.
#pragma once

#include <utility>

namespace kiste {

template <typename F>
class Defer {
 public:
  explicit Defer(F deed) : deed_(std::move(deed)) {}
  Defer(const Defer&) = delete;
  Defer& operator=(const Defer&) = delete;
  ~Defer() {
    if (armed_) deed_();
  }
  void Cancel() { armed_ = false; }

 private:
  F deed_;
  bool armed_ = true;
};

}  // namespace kiste
