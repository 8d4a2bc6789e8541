// SPDX-License-Identifier: Apache-2.0
#include "runtime/net_devices.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <utility>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::runtime {

namespace {

// What an operator gave the device for good, not what the kernel or a lease has put there.
bool Stays(const sys::NetAddress& address) {
  return (address.flags & IFA_F_PERMANENT) != 0 && address.scope == RT_SCOPE_UNIVERSE;
}

Result<bool> InUse(sys::Netlink& netlink, const std::string& name) {
  auto device = netlink.Device(name);
  if (device) return true;
  if (device.error().errno_value == ENODEV) return false;
  return std::unexpected(std::move(device).error());
}

// `wanted`, or with the smallest free number in place of "%d", as the kernel would choose it.
Result<std::string> FreeName(sys::Netlink& netlink, const std::string& wanted) {
  size_t at = wanted.find("%d");
  bool is_template = at != std::string::npos;
  for (unsigned number = 0;; ++number) {
    std::string name = wanted;
    if (is_template) name.replace(at, 2, StrCat(number));
    if (name.size() >= IFNAMSIZ) break;
    if (!TRY(InUse(netlink, name))) return name;
    if (!is_template) break;
  }
  return Fail(ErrorKind::kExists,
              StrCat("the container's network namespace has a device ", Quote(wanted), " already"));
}

Status GiveAddresses(sys::Netlink& netlink, const sys::NetDevice& device,
                     const std::vector<sys::NetAddress>& addresses) {
  for (const auto& address : addresses) TRY(netlink.AddAddress(device, address));
  return {};
}

}  // namespace

Status NetDevices::MoveOne(sys::Netlink& host, sys::Netlink& container, const std::string& name,
                           const std::string& inside) {
  auto device = TRY(host.Device(name));
  Moved moved{.name = name,
              .inside = TRY(FreeName(container, inside.empty() ? name : inside)),
              .up = (device.flags & IFF_UP) != 0,
              .addresses = TRY(host.Addresses(device))};
  std::erase_if(moved.addresses, [](const auto& address) { return !Stays(address); });
  TRY(host.Move(device, away_.get(), moved.inside));
  moved_.push_back(moved);
  auto arrived = TRY(container.Device(moved.inside));
  TRY(container.SetUp(arrived));
  return GiveAddresses(container, arrived, moved.addresses);
}

Status NetDevices::Move(const std::map<std::string, std::string>& wanted, pid_t pid) {
  home_ = TRY(sys::Open("/proc/self/ns/net", O_RDONLY));
  away_ = TRY(sys::Open(StrCat("/proc/", pid, "/ns/net"), O_RDONLY));
  auto host = TRY(sys::Netlink::Open());
  auto container = TRY(sys::Netlink::OpenIn(away_.get()));
  for (const auto& [name, inside] : wanted) {
    TRY_CONTEXT(MoveOne(host, container, name, inside), StrCat("linux.netDevices.", name));
  }
  return {};
}

void NetDevices::Undo() {
  if (moved_.empty()) return;
  auto host = sys::Netlink::Open();
  auto container = sys::Netlink::OpenIn(away_.get());
  if (!host || !container) return;
  for (const auto& moved : moved_) {
    auto device = container->Device(moved.inside);
    if (!device || !container->Move(*device, home_.get(), moved.name)) continue;
    auto back = host->Device(moved.name);
    if (!back) continue;
    if (moved.up) static_cast<void>(host->SetUp(*back));
    static_cast<void>(GiveAddresses(*host, *back, moved.addresses));
  }
  moved_.clear();
}

}  // namespace kiste::runtime
