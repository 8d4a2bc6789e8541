// SPDX-License-Identifier: Apache-2.0
#include "sys/network_namespace.h"

#include <fcntl.h>
#include <sched.h>

#include "sys/file.h"
#include "sys/loopback.h"
#include "sys/mount.h"

namespace kiste::sys {

namespace {

constexpr char kOwn[] = "/proc/thread-self/ns/net";

// Within the new one.
Result<Fd> OpenAndBind(const std::string& path) {
  auto network = TRY(Open(kOwn, O_RDONLY | O_CLOEXEC));
  TRY(BindMount(kOwn, path));
  return network;
}

}  // namespace

Result<Fd> MakeNetworkNamespace(const std::string& path) {
  auto own = TRY(Open(kOwn, O_RDONLY | O_CLOEXEC));
  if (unshare(CLONE_NEWNET) != 0) return ErrnoError("unshare network");
  auto made = OpenAndBind(path);
  if (setns(own.get(), CLONE_NEWNET) != 0) return ErrnoError("setns own network");
  auto network = TRY(std::move(made));
  TRY(BringLoopbackUp(network.get()));
  return network;
}

}  // namespace kiste::sys
