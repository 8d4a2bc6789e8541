// SPDX-License-Identifier: Apache-2.0
//
// Signals of signal(7) by name, as `kill` takes them and image configurations name them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kiste::oci {

// The number of "SIGTERM", "term", "15", "SIGRTMIN+3" or "RTMAX-1"; nothing for what is no signal
// of this kernel. "0" is one: it only asks whether the process is there.
std::optional<int> ParseSignal(std::string_view text);
// "SIGTERM" of 15, "SIGRTMIN+3" of 37; the number in decimal when it has no name.
std::string SignalName(int number);

}  // namespace kiste::oci
