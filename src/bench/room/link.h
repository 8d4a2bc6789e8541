// SPDX-License-Identifier: Apache-2.0
//
// A network namespace for one instance with one end of a veth pair in it; the other end is in the
// run's own namespace. Both vanish with the namespace. Addresses are of 198.51.100.0/24, which
// nobody has (RFC 5737).
#pragma once

#include <string>
#include <utility>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::bench {

constexpr char kOutsideAddress[] = "198.51.100.1";
constexpr char kInsideAddress[] = "198.51.100.2";

class Link {
 public:
  // `path` becomes a file to which the namespace is bound. Needs ip(8).
  static Result<Link> Make(const std::string& path);
  Link(Link&& other) noexcept
      : path_(std::exchange(other.path_, {})), namespace_(std::move(other.namespace_)) {}
  Link& operator=(Link&&) = delete;
  ~Link();

  const std::string& path() const { return path_; }
  int fd() const { return namespace_.get(); }

 private:
  Link() = default;
  std::string path_;
  Fd namespace_;
};

}  // namespace kiste::bench
