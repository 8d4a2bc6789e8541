// SPDX-License-Identifier: Apache-2.0
#include "bench/spatial/witness.h"

#include <algorithm>
#include <cstring>

#include "base/strings.h"
#include "bench/spatial/witness_child.h"
#include "sys/file.h"
#include "sys/listener.h"
#include "sys/pidfd.h"
#include "sys/plain_fork.h"
#include "sys/socket.h"

namespace kiste::bench {

namespace {

constexpr int kPatienceMs = 2000;

}  // namespace

Result<std::unique_ptr<Witness>> Witness::Plant(const std::string& folder,
                                                const std::string& token) {
  auto seed = std::make_unique<Witness>();
  TRY(seed->Listen(folder, token));
  TRY(seed->Start(folder, token));
  return seed;
}

// A socket that cannot be made here is left out; the markers say which there are.
Status Witness::Listen(const std::string& folder, const std::string& token) {
  std::string name = StrCat("kiste-bench-", token);
  Result<Fd> abstract = sys::ListenAbstract(name);
  if (abstract) {
    abstract_ = *std::move(abstract);
    abstract_name_ = name;
  }
  std::string path = StrCat(folder, "/kiste-bench-socket");
  Result<Fd> by_path = sys::ListenPath(path);
  if (by_path) {
    path_socket_ = *std::move(by_path);
    path_ = path;
  }
  Result<sys::PortListener> loopback = sys::ListenLoopback();
  if (loopback) {
    loopback_ = std::move(loopback->fd);
    port_ = loopback->port;
  }
  return {};
}

Status Witness::Start(const std::string& folder, const std::string& token) {
  void* shared = TRY(sys::MapShared(sizeof(WitnessMemory)));
  memory_ = static_cast<WitnessMemory*>(shared);
  std::memcpy(memory_->token, token.data(), std::min(token.size(), sizeof memory_->token));
  sys::SocketPair pair = TRY(sys::MakeSocketPair());
  Chores chores{
      .memory = memory_,
      .listeners = {abstract_.get(), path_socket_.get(), loopback_.get()},
      .lifeline = pair.theirs.get(),
      .command = StrCat("kiste-bench-planted ", token),
      .variable = StrCat("KISTE_BENCH_WITNESS=", token),
      .folder = folder.c_str(),
  };
  chores.words = TRY(OwnWords());
  size_t needed = std::max(chores.command.size() + 1, chores.words.environment_begin) +
                  chores.variable.size() + 1;
  if (needed > chores.words.size) {
    return Fail(ErrorKind::kUnsupported, StrCat("command line and environment: expected ", needed,
                                                " bytes, found ", chores.words.size));
  }
  pid_ = TRY(sys::Fork());
  if (pid_ == 0) RunWitness(chores);
  lifeline_ = std::move(pair.ours);
  pidfd_ = TRY(sys::PidfdOpen(pid_));
  pair.theirs.Reset();
  char ready = 0;
  TRY(sys::Receive(lifeline_.get(), &ready, 1));
  if (ready != 'r') return Fail(ErrorKind::kSystem, "the planted process ended at once");
  return {};
}

Witness::~Witness() {
  lifeline_.Reset();
  if (pid_ > 0 && !ended_) static_cast<void>(sys::KillChild(pidfd_.get(), pid_, kPatienceMs));
  if (!path_.empty()) static_cast<void>(sys::UnlinkAt(AT_FDCWD, path_));
  if (memory_ != nullptr) sys::Unmap(memory_, sizeof(WitnessMemory));
}

void Witness::Tell(std::vector<Marker>& markers) const {
  markers.push_back({"process", StrCat(pid_)});
  markers.push_back({"process-memory", StrCat(reinterpret_cast<uintptr_t>(memory_))});
  if (abstract_) markers.push_back({"abstract", abstract_name_});
  if (path_socket_) markers.push_back({"path-socket", path_});
  if (loopback_) markers.push_back({"port", StrCat(port_)});
}

Status Witness::Look(std::vector<Finding>& findings) {
  static constexpr const char* kProbes[] = {"network/abstract-socket", "network/path-socket",
                                            "network/loopback-listener"};
  static constexpr const char* kNames[] = {"abstract socket", "socket", "listener on 127.0.0.1"};
  if (!ended_) {
    std::optional<int> status = TRY(sys::TryWaitChild(pid_));
    ended_ = status.has_value();
  }
  if (ended_) {
    findings.push_back({"process/signal", "touches", "the host's process was ended"});
  } else if (memory_->urgent.load() > 0) {
    findings.push_back({"process/signal", "touches", "the host's process got SIGURG"});
  }
  if (memory_->by_descriptor.load() > 0) {
    findings.push_back(
        {"process/signal-by-descriptor", "touches", "the host's process got SIGWINCH"});
  }
  if (memory_->scratch[0] != 0) {
    findings.push_back(
        {"process/write-memory", "touches", "the memory of the host's process was changed"});
  }
  for (size_t i = 0; i < 3; i++) {
    uint32_t count = memory_->connections[i].load();
    if (count == 0) continue;
    findings.push_back(
        {kProbes[i], "touches", StrCat(count, " connections to the host's ", kNames[i])});
  }
  return {};
}

}  // namespace kiste::bench
