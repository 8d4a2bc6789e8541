// SPDX-License-Identifier: Apache-2.0
//
// The parts of config.json, each from its JSON value: one function a topic, one file a topic.
// Private to this folder; parse.h is the face.
#pragma once

#include <optional>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "oci/config.h"

namespace kiste::oci {

Result<Process> ReadProcess(const json::Value& process);               // parse_process.cc
Status ReadScheduling(const json::Value& process, Process& into);      // parse_scheduling.cc
Result<Mount> ReadMount(const json::Value& mount);                     // parse_mount.cc
Result<std::string> ReadMountDestination(const json::Value& mount);    // parse_mount.cc
Result<Hooks> ReadHooks(const json::Value& hooks);                     // parse_hooks.cc
Result<Linux> ReadLinux(const json::Value& linux_part);                // parse_linux.cc
Result<std::vector<IdMapping>> ReadIdMappings(const json::Value&);     // parse_id_mappings.cc
Result<Device> ReadDevice(const json::Value& device);                  // parse_devices.cc
Result<DeviceRule> ReadDeviceRule(const json::Value& rule);            // parse_devices.cc
Result<Resources> ReadResources(const json::Value& resources);         // parse_resources.cc
Result<BlockIo> ReadBlockIo(const json::Value& block_io);              // parse_block_io.cc
Result<std::optional<Seccomp>> ReadSeccomp(const json::Value& value);  // parse_seccomp.cc

}  // namespace kiste::oci
