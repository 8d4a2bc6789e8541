// SPDX-License-Identifier: Apache-2.0
//
// Fd owns one file descriptor: move-only, closed by its destructor. Every descriptor that kiste
// opens is close-on-exec; one that must survive an exec is handed over by name (the launcher's
// program, preserved descriptors), never by forgetting the flag.
#pragma once

#include <utility>

namespace kiste {

class Fd {
 public:
  Fd() = default;
  // Takes ownership of `fd`; a negative value means "none".
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) Reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  explicit operator bool() const { return valid(); }
  // Gives the descriptor away; the caller closes it.
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }
  // Closes what is owned (errors are ignored: the descriptor is gone in any case, close(2)).
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

}  // namespace kiste
