// SPDX-License-Identifier: Apache-2.0
//
// Text to values: config.json and the process object that `exec --process` reads. Everything that
// can be known without the host is checked here (types, ranges, forms, names of capabilities,
// rlimits, namespaces, mount options, sysctls against namespaces), and each error names file,
// field, value and what was expected. Unknown members are ignored, as the specification demands
// (spec.md, "Extensibility").
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "oci/config.h"

namespace kiste::oci {

// `text` is the whole of the file `file` (its name is for errors).
Result<Config> ParseConfig(std::string text, std::string file);
// A process object alone (exec --process FILE).
Result<Process> ParseProcess(std::string text, std::string file);
// linux.resources alone (update --resources FILE).
Result<Resources> ParseResources(std::string text, std::string file);

// An array of mounts as in config.json, and only their destinations (mounts add|remove).
Result<std::vector<Mount>> ParseMounts(std::string text, std::string file);
Result<std::vector<std::string>> ParseMountDestinations(std::string text, std::string file);

// Whether a pids limit of 0 is a limit: before version 1.3 nothing said so.
bool ZeroPidsLimits(const std::string& oci_version);

// What is contradictory in itself, whoever made it: a hostname without a UTS namespace, mappings
// without a user namespace, masked paths without a mount namespace, a sysctl whose namespace is the
// host's, a namespace named twice … Errors say the field and why. ParseConfig calls it.
Status Validate(const Config& config, const std::string& file);

}  // namespace kiste::oci
