// SPDX-License-Identifier: Apache-2.0
#include "sys/netlink.h"

#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::sys {

namespace {

constexpr size_t kReplyBytes = 64 * 1024;  // more than a page's worth, which a dump has at most
constexpr uint32_t kAddressFlags =         // what somebody chose; the rest is the kernel's finding
    IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;

template <typename T>
T Load(std::string_view bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

// Calls `each` with the type and the bytes of every attribute.
template <typename Each>
void ForEachAttribute(std::string_view bytes, const Each& each) {
  while (bytes.size() >= sizeof(rtattr)) {
    auto head = Load<rtattr>(bytes);
    if (head.rta_len < sizeof(rtattr) || head.rta_len > bytes.size()) return;
    each(head.rta_type & NLA_TYPE_MASK, bytes.substr(RTA_LENGTH(0), head.rta_len - RTA_LENGTH(0)));
    bytes.remove_prefix(std::min<size_t>(RTA_ALIGN(head.rta_len), bytes.size()));
  }
}

std::string_view Tail(std::string_view bytes, size_t from) {
  return bytes.substr(std::min(from, bytes.size()));
}

// What the kernel answered to a request: an errno, and words where it had some.
Status Answer(const nlmsghdr& head, std::string_view body, const std::string& operation) {
  int code = -Load<nlmsgerr>(body).error;
  if (code == 0) return {};
  auto failed = SystemError(code, operation);
  if ((head.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return failed;
  // Behind the error is the request, or only its head.
  size_t echoed = Load<nlmsgerr>(body).msg.nlmsg_len;
  size_t skip = sizeof(nlmsgerr);
  if ((head.nlmsg_flags & NLM_F_CAPPED) == 0) skip += NLMSG_ALIGN(echoed) - sizeof(nlmsghdr);
  ForEachAttribute(Tail(body, skip), [&](int type, std::string_view value) {
    if (type == NLMSGERR_ATTR_MSG) failed.error().detail = value.substr(0, value.find('\0'));
  });
  return failed;
}

Result<NetAddress> ParseAddress(std::string_view body) {
  auto head = Load<ifaddrmsg>(body);
  NetAddress address{.family = head.ifa_family,
                     .prefix_length = head.ifa_prefixlen,
                     .scope = head.ifa_scope,
                     .flags = head.ifa_flags,
                     .attributes = {}};
  ForEachAttribute(Tail(body, NLMSG_ALIGN(sizeof head)), [&](int type, std::string_view value) {
    if (type == IFA_FLAGS) address.flags = Load<uint32_t>(value);
    if (type == IFA_ADDRESS || type == IFA_LOCAL || type == IFA_BROADCAST ||
        type == IFA_RT_PRIORITY) {
      address.attributes.emplace_back(type, value);
    }
  });
  return address;
}

}  // namespace

// A message under construction.
class Netlink::Request {
 public:
  template <typename Head>
  Request(int type, int flags, const Head& head) {
    nlmsghdr start{};
    start.nlmsg_type = static_cast<uint16_t>(type);
    start.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
    Append(&start, sizeof start);
    Append(&head, sizeof head);
  }
  void Attribute(int type, std::string_view value) {
    rtattr head{};
    head.rta_type = static_cast<uint16_t>(type);
    head.rta_len = static_cast<uint16_t>(RTA_LENGTH(value.size()));
    Append(&head, sizeof head);
    Append(value.data(), value.size());
  }
  void Attribute(int type, uint32_t value) {
    Attribute(type, {reinterpret_cast<const char*>(&value), sizeof value});
  }
  const std::string& Finish(uint32_t sequence) {
    auto start = Load<nlmsghdr>(bytes_);
    start.nlmsg_len = static_cast<uint32_t>(bytes_.size());
    start.nlmsg_seq = sequence;
    std::memcpy(bytes_.data(), &start, sizeof start);
    return bytes_;
  }

 private:
  void Append(const void* data, size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }
  std::string bytes_;
};

// As inet_ntop(3) writes it, which brings printf(3) along.
static std::string Ipv4Text(std::string_view bytes) {
  std::string text;
  for (char byte : bytes) text += StrCat(text.empty() ? "" : ".", static_cast<uint8_t>(byte));
  return text;
}

// RFC 5952: hexadecimal without leading zeros, the longest run of zeros as "::".
static std::string Ipv6Text(std::string_view bytes) {
  constexpr size_t kGroups = 8;
  uint16_t groups[kGroups];
  for (size_t i = 0; i < kGroups; ++i)
    groups[i] = static_cast<uint16_t>(static_cast<uint8_t>(bytes[2 * i]) << 8 |
                                      static_cast<uint8_t>(bytes[2 * i + 1]));
  size_t zeros = kGroups, length = 1;  // a single zero is written as it is
  for (size_t start = 0, end; start < kGroups; start = end + 1) {
    for (end = start; end < kGroups && groups[end] == 0;) ++end;
    if (end - start > length) zeros = start, length = end - start;
  }
  std::string text;
  for (size_t i = 0; i < kGroups; ++i) {
    if (i == zeros) {
      text += "::";
      i += length - 1;
      continue;
    }
    char digits[4];
    auto end = std::to_chars(digits, digits + sizeof digits, groups[i], 16).ptr;
    text += StrCat(text.empty() || text.ends_with(':') ? "" : ":",
                   std::string_view(digits, static_cast<size_t>(end - digits)));
  }
  return text;
}

std::string AddressText(const NetAddress& address) {
  std::string text = "?";
  for (const auto& [type, value] : address.attributes) {
    size_t wanted = address.family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr);
    if ((type == IFA_LOCAL || type == IFA_ADDRESS) && value.size() == wanted)
      text = address.family == AF_INET ? Ipv4Text(value) : Ipv6Text(value);
    if (type == IFA_LOCAL) break;
  }
  return StrCat(text, "/", unsigned{address.prefix_length});
}

Result<Netlink> Netlink::Open() {
  Fd file(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!file) return ErrnoError("socket AF_NETLINK");
  int on = 1;  // in vain before Linux 4.12
  static_cast<void>(setsockopt(file.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on));
  return Netlink(std::move(file));
}

Result<Netlink> Netlink::OpenIn(int network_namespace) {
  Fd home = TRY(sys::Open("/proc/self/ns/net", O_RDONLY));
  if (setns(network_namespace, CLONE_NEWNET) < 0)
    return ErrnoError("setns into a network namespace");
  auto opened = Open();
  if (setns(home.get(), CLONE_NEWNET) < 0) return ErrnoError("setns back");
  return opened;
}

// `each` is called with the type and the body of every message that answers.
template <typename Each>
Status Netlink::Ask(Request& request, const std::string& operation, const Each& each) {
  const std::string& message = request.Finish(++sequence_);
  while (send(socket_.get(), message.data(), message.size(), 0) < 0) {
    if (errno != EINTR) return ErrnoError(operation);
  }
  std::string buffer(kReplyBytes, '\0');
  while (true) {
    ssize_t size = recv(socket_.get(), buffer.data(), buffer.size(), MSG_TRUNC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return ErrnoError(operation);
    if (static_cast<size_t>(size) > buffer.size()) return SystemError(EMSGSIZE, operation);
    std::string_view rest(buffer.data(), static_cast<size_t>(size));
    while (rest.size() >= sizeof(nlmsghdr)) {
      auto head = Load<nlmsghdr>(rest);
      if (head.nlmsg_len < sizeof head || head.nlmsg_len > rest.size()) break;
      std::string_view body = rest.substr(NLMSG_HDRLEN, head.nlmsg_len - NLMSG_HDRLEN);
      rest.remove_prefix(std::min<size_t>(NLMSG_ALIGN(head.nlmsg_len), rest.size()));
      if (head.nlmsg_seq != sequence_) continue;
      if (head.nlmsg_type == NLMSG_DONE) return {};
      if (head.nlmsg_type == NLMSG_ERROR) return Answer(head, body, operation);
      each(head.nlmsg_type, body);
    }
  }
}

Status Netlink::Do(Request& request, const std::string& operation) {
  return Ask(request, operation, [](int, std::string_view) {});
}

Result<NetDevice> Netlink::Device(const std::string& name) {
  Request request(RTM_GETLINK, NLM_F_ACK, ifinfomsg{});
  request.Attribute(IFLA_IFNAME, std::string_view(name.c_str(), name.size() + 1));
  NetDevice device{.name = name};
  TRY(Ask(request, StrCat("find network device ", name), [&](int type, std::string_view body) {
    if (type != RTM_NEWLINK) return;
    auto head = Load<ifinfomsg>(body);
    device.index = head.ifi_index;
    device.flags = head.ifi_flags;
  }));
  return device;
}

Result<std::vector<NetAddress>> Netlink::Addresses(const NetDevice& device) {
  Request request(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{});
  std::vector<NetAddress> addresses;
  TRY(Ask(request, StrCat("list the addresses of ", device.name),
          [&](int type, std::string_view body) {
            bool of_device = Load<ifaddrmsg>(body).ifa_index == static_cast<unsigned>(device.index);
            if (type != RTM_NEWADDR || !of_device) return;
            if (auto address = ParseAddress(body)) addresses.push_back(std::move(*address));
          }));
  return addresses;
}

Status Netlink::Move(const NetDevice& device, int network_namespace, const std::string& name) {
  ifinfomsg head{};
  head.ifi_index = device.index;
  Request request(RTM_NEWLINK, NLM_F_ACK, head);
  request.Attribute(IFLA_IFNAME, std::string_view(name.c_str(), name.size() + 1));
  request.Attribute(IFLA_NET_NS_FD, static_cast<uint32_t>(network_namespace));
  return Do(request,
            StrCat("move network device ", device.name, " to another namespace as ", name));
}

Status Netlink::AddAddress(const NetDevice& device, const NetAddress& address) {
  ifaddrmsg head{};
  head.ifa_family = address.family;
  head.ifa_prefixlen = address.prefix_length;
  head.ifa_scope = address.scope;
  head.ifa_index = static_cast<uint32_t>(device.index);
  Request request(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, head);
  for (const auto& [type, value] : address.attributes) request.Attribute(type, value);
  request.Attribute(IFA_FLAGS, address.flags & kAddressFlags);
  return Do(request, StrCat("give address ", AddressText(address), " to ", device.name));
}

Status Netlink::SetUp(const NetDevice& device) {
  ifinfomsg head{};
  head.ifi_index = device.index;
  head.ifi_flags = IFF_UP;
  head.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, NLM_F_ACK, head);
  return Do(request, StrCat("bring up network device ", device.name));
}

}  // namespace kiste::sys
