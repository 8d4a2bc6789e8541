// SPDX-License-Identifier: Apache-2.0
//
// An existing container as commands see it: its folder, its record, and what is true of it now.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "oci/state.h"
#include "runtime/record.h"
#include "runtime/store.h"

namespace kiste::runtime {

enum class ContainerStatus { kCreating, kCreated, kRunning, kPaused, kStopped };
std::string_view StatusName(ContainerStatus status);

struct Container {
  ContainerFolder folder;
  Record record;

  // What the kernel says: asked each time, never remembered.
  Result<ContainerStatus> Status() const;
  // A descriptor of the container's first process, sure to be that one; kState when it has ended.
  Result<Fd> Process() const;
  oci::State State(ContainerStatus status) const;
};

Result<Container> LoadContainer(const Store& store, const std::string& id);
// The same, locked: as the last command left it, and no other command changes it.
Result<Container> LockContainer(const Store& store, const std::string& id);

// The error of a signal, or the like, that comes too late. containerd's shim knows by the words
// "container not running" that it did, and then calls the stop a success.
std::unexpected<Error> NotRunning(std::string_view id);

}  // namespace kiste::runtime
