// SPDX-License-Identifier: Apache-2.0
//
// The example configuration that `spec` writes: what runc's users start from.
#pragma once

#include <string>

namespace kiste::oci {

struct SpecTemplateOptions {
  bool rootless = false;  // adds a user namespace that maps the two ids below, drops the network
  unsigned uid = 0, gid = 0;
};

// config.json's text, pretty-printed with tabs as runc does.
std::string SpecTemplate(const SpecTemplateOptions& options);

}  // namespace kiste::oci
