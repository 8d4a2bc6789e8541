// SPDX-License-Identifier: Apache-2.0
#include "bench/room/link.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/strings.h"
#include "bench/process/process.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/network_namespace.h"

namespace kiste::bench {

namespace {

constexpr char kOutside[] = "kiste-link";

Status Ip(int network, std::vector<std::string> words) {
  words.insert(words.begin(), "ip");
  TRY(Succeed({.words = std::move(words), .network = network},
              Deadline::In(std::chrono::seconds(10))));
  return {};
}

}  // namespace

Result<Link> Link::Make(const std::string& path) {
  Link link;
  TRY(sys::Open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  link.path_ = path;
  link.namespace_ = TRY(sys::MakeNetworkNamespace(path));
  int inside = link.fd();
  TRY(Ip(inside, {"link", "add", "eth0", "type", "veth", "peer", "name", kOutside, "netns",
                  StrCat(getpid())}));
  TRY(Ip(inside, {"address", "add", StrCat(kInsideAddress, "/24"), "dev", "eth0"}));
  TRY(Ip(inside, {"link", "set", "eth0", "up"}));
  TRY(Ip(-1, {"address", "add", StrCat(kOutsideAddress, "/24"), "dev", kOutside}));
  TRY(Ip(-1, {"link", "set", kOutside, "up"}));
  return link;
}

Link::~Link() {
  if (path_.empty()) return;
  // The pair goes with one end: at once, not when the last process has left the namespace.
  if (namespace_) static_cast<void>(Ip(-1, {"link", "delete", kOutside}));
  static_cast<void>(sys::Unmount(path_));
  unlink(path_.c_str());
}

}  // namespace kiste::bench
