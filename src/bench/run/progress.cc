// SPDX-License-Identifier: Apache-2.0
#include "bench/run/progress.h"

#include <unistd.h>

#include <cstdio>

#include "base/strings.h"

namespace kiste::bench {

namespace {

std::string TwoDigits(int64_t number) { return StrCat(number < 10 ? "0" : "", number); }

}  // namespace

std::string ClockText(std::chrono::seconds time) {
  int64_t seconds = time.count();
  auto minutes_and_seconds = StrCat(seconds / 60 % 60, ":", TwoDigits(seconds % 60));
  if (seconds < 3600) return minutes_and_seconds;
  return StrCat(seconds / 3600, ":", TwoDigits(seconds / 60 % 60), ":", TwoDigits(seconds % 60));
}

Progress::Progress(size_t trials) : trials_(trials), terminal_(isatty(2) == 1) {}

std::string Progress::TimeLeft() const {
  if (measured_ == 0) return "";
  auto each = spent_ / static_cast<int64_t>(measured_);
  auto left = each * static_cast<int64_t>(trials_ - done_);
  return StrCat(", ", ClockText(std::chrono::duration_cast<std::chrono::seconds>(left)), " left");
}

void Progress::Begin(const std::string& target, const std::string& workload, int round) {
  what_ = StrCat(workload, " on ", target, round == 0 ? ", warm-up" : StrCat(", round ", round));
  if (!terminal_) return;
  constexpr size_t kWidth = 24;
  size_t full = done_ * kWidth / trials_;
  // Without autowrap (DECAWM): what does not fit is cut off, and no second line is left behind.
  fprintf(stderr, "\r\033[K\033[?7l[%s%s] %zu %%, %zu/%zu%s  %s\033[?7h",
          std::string(full, '#').c_str(), std::string(kWidth - full, '.').c_str(),
          done_ * 100 / trials_, done_, trials_, TimeLeft().c_str(), what_.c_str());
}

void Progress::End(std::chrono::nanoseconds took, const std::string& status,
                   const std::string& why) {
  ++done_;
  ++measured_;
  spent_ += took;
  bool good = status == "ok";
  if (terminal_ && good) return;
  double seconds = static_cast<double>(took.count()) / 1e9;
  fprintf(stderr, "%s%zu/%zu %s: %s, %.1f s%s%s\n", terminal_ ? "\r\033[K" : "", done_, trials_,
          what_.c_str(), status.c_str(), seconds, why.empty() ? "" : ": ", why.c_str());
}

void Progress::Close() {
  if (terminal_) fprintf(stderr, "\r\033[K");
}

}  // namespace kiste::bench
