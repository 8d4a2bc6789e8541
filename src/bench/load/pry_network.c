// SPDX-License-Identifier: Apache-2.0
//
// Networks: the host's sockets and listeners, its interfaces, and what is not in any namespace. No
// packet is sent but to the planted listeners.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "pry.h"

static int MakeSocket(int family, int type, int protocol) {
  return socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
}

// What may be done to a network is done to one's own, or to the host's.
static enum Verdict ToNetwork(enum Verdict verdict, const char* what) {
  const int host = InHostNamespace("net");
  if (host == 0) return Closed("%s: in its own network only", what);
  if (host < 0) return Unknown("%s, but whose network this is is not told", what);
  return verdict == kSees ? Sees("%s of the host", what) : Touches("%s of the host", what);
}

// Connects and reads the greeting, which holds the token: another listener may have the address.
static enum Verdict Greeting(int fd, const struct sockaddr* address, socklen_t size,
                             const char* what) {
  if (fd < 0) return Failed("socket", errno);
  char bytes[256];
  if (connect(fd, address, size) != 0 && errno != EINPROGRESS) {
    const int error = errno;
    close(fd);
    return error == ECONNREFUSED || error == ENETUNREACH ? Closed("nobody listens at %s", what)
                                                         : Failed("connect", error);
  }
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  // The planted listener answers only while the host looks; a connection is what counts there.
  const int ready = poll(&wait, 1, 1000);
  const ssize_t got = ready > 0 ? read(fd, bytes, sizeof(bytes)) : -1;
  int error = 0;
  socklen_t length = sizeof(error);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  close(fd);
  if (got > 0 && HasToken(bytes, (size_t)got)) return Touches("talked to the host's %s", what);
  if (error == ECONNREFUSED || (ready > 0 && got < 0)) return Closed("nobody listens at %s", what);
  return got > 0 ? Closed("%s is somebody else's", what)
                 : Unknown("%s is connected, but says nothing", what);
}

static enum Verdict Unix(const struct Probe* probe) {
  const char* name = Marker(probe->path);
  const int abstract = strcmp(probe->path, "abstract") == 0;
  if (name == NULL) return Unknown("no socket was planted");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(name) + 2 > sizeof(address.sun_path)) return Unknown("the socket's name is too long");
  memcpy(address.sun_path + (abstract ? 1 : 0), name, strlen(name));
  const size_t size = offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1;
  return Greeting(MakeSocket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr*)&address, (socklen_t)size,
                  abstract ? "abstract socket" : name);
}

static enum Verdict Loopback(const struct Probe* probe) {
  (void)probe;
  if (Marker("port") == NULL) return Unknown("no listener was planted");
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)MarkerNumber("port")),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return Greeting(MakeSocket(AF_INET, SOCK_STREAM, 0), (struct sockaddr*)&address, sizeof(address),
                  "listener on 127.0.0.1");
}

static char g_table[1 << 18];

static enum Verdict Listeners(const struct Probe* probe) {
  (void)probe;
  if (Marker("port") == NULL) return Unknown("no listener was planted");
  char line[32];
  snprintf(line, sizeof(line), "0100007F:%04lX 00000000:0000 0A", MarkerNumber("port"));
  if (ReadFile("/proc/net/tcp", g_table, sizeof(g_table)) < 0)
    return Failed("/proc/net/tcp", errno);
  if (strstr(g_table, line) == NULL) return Closed("/proc/net/tcp has no listener of the host");
  return ToNetwork(kSees, "the listeners");
}

static enum Verdict UnixList(const struct Probe* probe) {
  (void)probe;
  const ssize_t size = ReadFile("/proc/net/unix", g_table, sizeof(g_table));
  if (size < 0) return Failed("/proc/net/unix", errno);
  if (Token()[0] == '\0') return Unknown("no socket was planted");
  return HasToken(g_table, (size_t)size) ? Sees("/proc/net/unix lists the host's sockets")
                                         : Closed("/proc/net/unix has no socket of the host");
}

static enum Verdict Interfaces(const struct Probe* probe) {
  (void)probe;
  struct if_nameindex* list = if_nameindex();
  if (list == NULL) return Failed("if_nameindex", errno);
  int count = 0;
  for (const struct if_nameindex* at = list; at->if_index != 0; at++) count++;
  if_freenameindex(list);
  char words[64];
  snprintf(words, sizeof(words), "%d interfaces", count);
  return ToNetwork(kSees, words);
}

static enum Verdict Table(const struct Probe* probe) {
  const ssize_t size = ReadFile(probe->path, g_table, sizeof(g_table));
  if (size < 0) return Failed(probe->path, errno);
  if (size == 0) return Closed("%s is empty", probe->path);
  return ToNetwork(kSees, probe->path);
}

// Packets of all who share the network can be read with these, none is.
static enum Verdict PacketSocket(const struct Probe* probe) {
  const int fd = probe->number == AF_PACKET ? MakeSocket(AF_PACKET, SOCK_RAW, 0)
                                            : MakeSocket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  if (fd < 0) return Failed("socket", errno);
  close(fd);
  return ToNetwork(kTouches, probe->number == AF_PACKET ? "packets of the interfaces"
                                                        : "raw packets of the network");
}

// Sets the loopback interface's flags to what they are.
static enum Verdict Configure(const struct Probe* probe) {
  (void)probe;
  struct ifreq request = {.ifr_name = "lo"};
  const int fd = MakeSocket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return Failed("socket", errno);
  if (ioctl(fd, SIOCGIFFLAGS, &request) != 0) return Failed("SIOCGIFFLAGS", errno);
  if (ioctl(fd, SIOCSIFFLAGS, &request) != 0) return Failed("SIOCSIFFLAGS", errno);
  close(fd);
  return ToNetwork(kTouches, "configuring the interfaces");
}

// The kernel's device events of the whole machine go to the first network namespace.
static enum Verdict DeviceEvents(const struct Probe* probe) {
  (void)probe;
  const int fd = MakeSocket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
  if (fd < 0) return Failed("socket", errno);
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
  const int result = bind(fd, (struct sockaddr*)&address, sizeof(address));
  const int error = errno;
  close(fd);
  if (result != 0) return Failed("bind", error);
  return ToNetwork(kSees, "the device events");
}

// AF_VSOCK leads to the hypervisor past every network namespace. Nobody is connected to; and a
// family that is not loaded is not asked for, as that would load it.
static enum Verdict Vsock(const struct Probe* probe) {
  (void)probe;
  if (ReadFile("/proc/net/protocols", g_table, sizeof(g_table)) < 0)
    return Failed("/proc/net/protocols", errno);
  if (strstr(g_table, "VSOCK") == NULL) return Closed("the kernel has no AF_VSOCK loaded");
  const int fd = MakeSocket(AF_VSOCK, SOCK_STREAM, 0);
  if (fd < 0) return Failed("socket", errno);
  close(fd);
  return Reached(kTouches, "AF_VSOCK, which leads to the host's hypervisor, is there");
}

// Sockets of engines and services: being let in is what counts, nothing is said.
static enum Verdict Service(const struct Probe* probe) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof(address.sun_path), "%s", probe->path);
  const int fd = MakeSocket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return Failed("socket", errno);
  const int result = connect(fd, (struct sockaddr*)&address, sizeof(address));
  const int error = errno;
  struct ucred peer = {0};
  socklen_t size = sizeof(peer);
  getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
  close(fd);
  if (result != 0 && error == ECONNREFUSED) return Closed("nobody listens at %s", probe->path);
  if (result != 0) return Failed(probe->path, error);
  // A process outside of our pid namespace has no number here.
  if (peer.pid != 0 && InHostNamespace("pid") == 0)
    return Closed("%s is a service in here", probe->path);
  return Touches("%s lets in", probe->path);
}

static const struct Probe kProbes[] = {
    {"network/abstract-socket", Unix, "abstract"},
    {"network/path-socket", Unix, "path-socket"},
    {"network/loopback-listener", Loopback},
    {"network/listeners", Listeners},
    {"network/unix-list", UnixList},
    {"network/interfaces", Interfaces},
    {"network/device-counters", Table, "/proc/net/dev"},
    {"network/routes", Table, "/proc/net/route"},
    {"network/neighbours", Table, "/proc/net/arp"},
    {"network/connections", Table, "/proc/net/nf_conntrack"},
    {"network/raw-socket", PacketSocket, NULL, kTouches, AF_INET},
    {"network/packet-socket", PacketSocket, NULL, kTouches, AF_PACKET},
    {"network/configure", Configure},
    {"network/device-events", DeviceEvents},
    {"network/vsock", Vsock},
    {"network/docker", Service, "/run/docker.sock"},
    {"network/docker-in-var", Service, "/var/run/docker.sock"},
    {"network/containerd", Service, "/run/containerd/containerd.sock"},
    {"network/cri-o", Service, "/run/crio/crio.sock"},
    {"network/podman", Service, "/run/podman/podman.sock"},
    {"network/system-bus", Service, "/run/dbus/system_bus_socket"},
    {"network/systemd", Service, "/run/systemd/private"},
};
const struct Group kNetworkGroup = PRY_GROUP("network", kProbes);
