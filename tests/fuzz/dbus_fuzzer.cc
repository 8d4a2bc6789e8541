// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer over what the D-Bus client reads: any bytes are a message or an error with a text, and
// the values of a message survive being written and read again. Behind a line "text" the input is a
// unit property in an annotation, behind a line "address" a list of addresses.
//   build/fuzz/fuzz/dbus_fuzzer tests/fuzz/corpus/dbus
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "sys/cgroup/systemd/property_text.h"
#include "sys/dbus/address.h"
#include "sys/dbus/message.h"

namespace {

using namespace kiste::sys;  // NOLINT: a program of one file

void Require(bool holds) {
  if (!holds) abort();
}

// Compared as bytes: numbers that are none (NaN) are not equal to themselves.
void CheckRoundTrip(const std::vector<dbus::Value>& values) {
  dbus::Message message;
  message.SetBody(values);
  // Two signatures of 255 bytes may be one too long together.
  if (!dbus::IsSignature(message.signature)) return;
  auto again = message.Body();
  Require(again.has_value());
  dbus::Message rewritten;
  rewritten.SetBody(*again);
  Require(rewritten.body == message.body && rewritten.signature == message.signature);
}

void FuzzMessage(std::string_view bytes) {
  auto size = dbus::MessageSize(bytes.substr(0, dbus::kMessageStart));
  if (!size) return Require(!size.error().Text().empty());
  if (*size > bytes.size()) return;
  auto message = dbus::ReadMessage(bytes.substr(0, *size));
  if (!message) return Require(!message.error().Text().empty());
  if (auto values = message->Body()) CheckRoundTrip(*values);
}

void FuzzText(std::string_view text) {
  auto value = kiste::sys::cgroup::systemd::ParsePropertyText(text);
  if (!value) return Require(!value.error().Text().empty());
  if (dbus::IsSignature(value->signature)) CheckRoundTrip({*value});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr std::string_view kText = "text\n", kAddress = "address\n";
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.starts_with(kText)) {
    FuzzText(input.substr(kText.size()));
  } else if (input.starts_with(kAddress)) {
    static_cast<void>(dbus::ParseAddresses(input.substr(kAddress.size()), "/run/user/1"));
  } else {
    FuzzMessage(input);
  }
  return 0;
}
