// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer over what CRIU answers: any bytes are a response or an error with a text; what was read
// field by field survives being written and read again.
//   build/fuzz/fuzz/criu_fuzzer tests/fuzz/corpus/criu
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sys/criu/rpc.h"
#include "sys/criu/wire.h"

namespace {

using namespace kiste::sys;  // NOLINT: a program of one file

void Require(bool holds) {
  if (!holds) abort();
}

// The fields of a message, written once more.
kiste::Result<std::string> Rewritten(std::string_view message) {
  criu::WireWriter writer;
  auto read = criu::ForEachField(message, [&](const criu::WireField& field) -> kiste::Status {
    if (field.bytes.data() != nullptr) {
      Require(field.bytes.data() >= message.data() &&
              field.bytes.data() + field.bytes.size() <= message.data() + message.size());
      writer.Bytes(field.number, field.bytes);
    } else {
      writer.Number(field.number, field.value);
    }
    return {};
  });
  if (!read) return std::unexpected(std::move(read).error());
  return writer.text();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  auto response = criu::DecodeResponse(input);
  if (!response) Require(!response.error().Text().empty());
  if (auto once = Rewritten(input)) {
    auto twice = Rewritten(*once);
    Require(twice && *twice == *once);
  }
  return 0;
}
