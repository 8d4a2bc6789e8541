// SPDX-License-Identifier: Apache-2.0
//
// Unit properties that a configuration brings along as annotations, `org.systemd.property.<Name>`,
// with values in GVariant's text format (docs.gtk.org/glib/gvariant-text-format.html), as runc and
// crun take them: "true", "'text'", "5", "uint64 5", "['a', 'b']", "[('/dev/null', 'rw')]", "@as
// []".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/dbus/value.h"

namespace kiste::sys::cgroup::systemd {

struct Property {
  std::string name;
  dbus::Value value;
};

// The properties among `annotations`, in their order. A number under a name that ends in Sec is in
// seconds: it becomes the property …USec, which is what systemd has. kInvalid names the annotation.
Result<std::vector<Property>> PropertiesFromAnnotations(
    const std::map<std::string, std::string>& annotations);

// One value; kInvalid says what is expected where. Booleans, numbers, texts, object paths,
// signatures, arrays and tuples of them; not dictionaries, variants and maybes, which no property
// of a unit needs.
Result<dbus::Value> ParsePropertyText(std::string_view text);

}  // namespace kiste::sys::cgroup::systemd
