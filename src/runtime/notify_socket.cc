// SPDX-License-Identifier: Apache-2.0
#include "runtime/notify_socket.h"

#include <linux/mount.h>
#include <poll.h>

#include <cstdlib>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace kiste::runtime {

namespace {

constexpr char kVariable[] = "NOTIFY_SOCKET";
constexpr char kInside[] = "/run/notify";
constexpr char kName[] = "notify.sock";
constexpr size_t kMessageBytes = 4096;
constexpr int kBarrierMs = 30'000;
constexpr int kMostQueued = 1024;  // messages that may still be unheard when the process ends

bool SaysReady(std::string_view message) {
  for (auto line : Split(message, '\n')) {
    if (line == "READY=1") return true;
  }
  return false;
}

}  // namespace

std::string ManagerSocket() {
  const char* address = std::getenv(kVariable);
  return address != nullptr ? address : "";
}

Status OfferNotifySocket(const ContainerFolder& folder, oci::Config& config) {
  TRY(sys::MakeDirectoryAt(folder.directory(), kNotifyFolder, 0755));
  oci::Mount mount;
  mount.destination = kInside;
  mount.type = "bind";
  mount.source = TRY(sys::RealPath(StrCat(folder.path(), "/", kNotifyFolder)));
  mount.bind = true;
  mount.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  config.mounts.push_back(std::move(mount));
  if (!config.process) return {};
  auto& env = config.process->env;
  std::erase_if(env,
                [](const std::string& entry) { return entry.starts_with(StrCat(kVariable, "=")); });
  env.push_back(StrCat(kVariable, "=", kInside, "/", kName));
  return {};
}

Result<NotifySocket> NotifySocket::Listen(const ContainerFolder& folder,
                                          const std::string& manager) {
  if (manager.empty() || !sys::Exists(folder.directory(), kNotifyFolder)) return NotifySocket();
  auto host = sys::ConnectDatagram(manager);
  if (!host) return NotifySocket();
  Fd directory = TRY(sys::OpenAt(folder.directory(), kNotifyFolder, O_PATH | O_DIRECTORY));
  // A start that timed out has left one; whoever listens holds the container's lock.
  TRY(sys::RemoveAt(directory.get(), kName));
  Fd container = TRY(sys::BindDatagramAt(directory.get(), kName, 0777));
  return NotifySocket(std::move(container), std::move(*host));
}

bool NotifySocket::Relay(pid_t main_pid) {
  char message[kMessageBytes];
  auto size = sys::Receive(container_.get(), message, sizeof message, Deadline::In({}));
  if (!size || !SaysReady({message, *size})) return false;
  container_.Reset();
  for (const std::string& line : {std::string("READY=1\n"), StrCat("MAINPID=", main_pid, "\n")}) {
    // A manager that has gone meanwhile wants to hear nothing.
    static_cast<void>(sys::Send(manager_.get(), line.data(), line.size()));
  }
  return true;
}

// sd_notify_barrier(3): the manager closes the descriptor when it has seen all that came before.
void NotifySocket::Barrier() const {
  auto pipe = sys::MakePipe();
  if (!pipe || !sys::SendDescriptor(manager_.get(), pipe->theirs.get(), "BARRIER=1")) return;
  pipe->theirs.Reset();
  pollfd entry{pipe->ours.get(), 0, 0};
  while (poll(&entry, 1, kBarrierMs) < 0 && errno == EINTR) {
  }
}

void NotifySocket::Wait(pid_t main_pid, const Fd& process) {
  int unheard = kMostQueued;
  while (container_) {
    pollfd entries[] = {{container_.get(), POLLIN, 0}, {process.get(), POLLIN, 0}};
    if (poll(entries, std::size(entries), -1) < 0) {
      if (errno == EINTR) continue;
      return;
    }
    if (entries[0].revents != 0 && Relay(main_pid)) return Barrier();
    // What it said before it ended is there already; others in the container may go on talking.
    if (entries[1].revents != 0 && (entries[0].revents == 0 || --unheard == 0)) return;
  }
}

}  // namespace kiste::runtime
