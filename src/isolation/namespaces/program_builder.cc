// SPDX-License-Identifier: Apache-2.0
#include "isolation/namespaces/program_builder.h"

#include <cstring>

namespace kiste::isolation {

using launcher::Offset;
using launcher::Program;

ProgramBuilder::ProgramBuilder() {
  block_.reserve(16 << 10);
  block_.resize(sizeof(Program));
}

Offset ProgramBuilder::Append(std::span<const std::byte> bytes, size_t alignment) {
  block_.resize((block_.size() + alignment - 1) / alignment * alignment);
  auto offset = static_cast<Offset>(block_.size());
  block_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return offset;
}

Offset ProgramBuilder::Text(std::string_view text) {
  if (text.empty()) return 0;
  auto offset = static_cast<Offset>(block_.size());
  block_.append(text);
  block_ += '\0';
  return offset;
}

Offset ProgramBuilder::Space(size_t bytes) {
  auto offset = static_cast<Offset>(block_.size());
  block_.append(bytes, '\0');
  return offset;
}

Offset ProgramBuilder::TextList(const std::vector<std::string>& texts) {
  std::vector<Offset> offsets;
  offsets.reserve(texts.size());
  for (const auto& text : texts) offsets.push_back(Text(text));
  return Data(offsets);
}

Offset ProgramBuilder::Pointers(const std::vector<std::string>& texts, Offset extra) {
  std::vector<uint64_t> offsets;
  offsets.reserve(texts.size() + 2);
  for (const auto& text : texts) {
    // An empty argument is a text too: a NUL of its own.
    offsets.push_back(text.empty() ? Space(1) : Text(text));
  }
  if (extra != 0) offsets.push_back(extra);
  offsets.push_back(0);
  return Data(offsets);
}

void ProgramBuilder::Add(launcher::Operation operation, std::string words) {
  operations_.push_back(operation);
  words_.push_back(std::move(words));
}

std::string ProgramBuilder::Finish(int channel, int proc) {
  Program header{};
  header.magic = launcher::kMagic;
  header.channel = Inherit(channel);
  header.proc = Inherit(proc);
  header.operation_count = static_cast<uint32_t>(operations_.size());
  header.operations = Data(operations_);
  header.size = static_cast<uint32_t>(block_.size());
  std::memcpy(block_.data(), &header, sizeof header);
  return std::move(block_);
}

}  // namespace kiste::isolation
