// SPDX-License-Identifier: Apache-2.0
//
// A run's room: pid, mount, network and ipc namespaces of its own, a folder, a cgroup. All
// processes of the run are in it and die with its first one. /run, /dev/shm and /dev/mqueue are
// empty at first: what targets leave there is gone with the room, and what the host has there is
// out of reach.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "bench/room/ledger.h"
#include "sys/cgroup/cgroup.h"

namespace kiste::bench {

// The files of a cgroup to which a process of one thread writes "0" to join it in every hierarchy.
Result<std::vector<Fd>> OpenTasks(const sys::cgroup::Cgroup& cgroup);

struct Room {
  std::string run;     // its name
  std::string folder;  // on the file system that is measured
  std::string
      cgroup;  // the path in every hierarchy; the run itself and its daemons are in `self` below it
};

// Makes the room below `parent`, calls `deed` in its first process, takes the room away and returns
// what the deed returned as exit code. SIGTERM and SIGHUP are passed on to it; SIGINT it gets from
// the terminal itself. kUnsupported without root.
Result<int> InRoom(const std::string& run, const std::string& parent,
                   const std::function<int(const Room&)>& deed);

}  // namespace kiste::bench
