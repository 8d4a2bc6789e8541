// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer over mount options: a line each; the first three are type, source and destination. The
// bits never contradict each other, and what the compiler makes of the mount is a program of which
// every offset stays inside.
//   build/fuzz/fuzz/mount_fuzzer tests/fuzz/corpus/mount
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/strings.h"
#include "isolation/namespaces/compile.h"
#include "oci/mount_options.h"

namespace {

using namespace kiste;  // NOLINT: a program of one file
using isolation::launcher::MountBlock;
using isolation::launcher::Op;
using isolation::launcher::Operation;
using isolation::launcher::Program;

void Require(bool holds) {
  if (!holds) abort();
}

// The NUL-terminated text at `at`.
void RequireText(const std::string& block, uint32_t at) {
  Require(at == 0 || (at < block.size() && std::memchr(block.data() + at, 0, block.size() - at)));
}

void CheckMount(const std::string& block, const Operation& operation) {
  MountBlock mount{};
  Require(operation.data + sizeof mount <= block.size());
  std::memcpy(&mount, block.data() + operation.data, sizeof mount);
  for (auto text : {mount.type, mount.source, mount.destination, mount.options, mount.fallback})
    RequireText(block, text);
  Require(mount.propagation_count <= std::size(mount.propagation));
}

void CheckProgram(const std::string& block) {
  Program header{};
  Require(block.size() >= sizeof header);
  std::memcpy(&header, block.data(), sizeof header);
  Require(header.size == block.size());
  for (uint32_t i = 0; i < header.operation_count; ++i) {
    Operation operation;
    size_t at = header.operations + i * sizeof operation;
    Require(at + sizeof operation <= block.size());
    std::memcpy(&operation, block.data() + at, sizeof operation);
    RequireText(block, operation.text);
    RequireText(block, operation.text2);
    Require(operation.data < block.size() && operation.data2 < block.size());
    if (operation.op == Op::kBind || operation.op == Op::kFileSystem ||
        operation.op == Op::kRemount)
      CheckMount(block, operation);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  if (text.find('\0') != std::string::npos) return 0;  // JSON texts with one are refused
  std::vector<std::string> words;
  for (auto line : Split(text, '\n')) words.emplace_back(line);
  if (words.size() < 4) return 0;
  oci::Mount mount;
  mount.type = words[0];
  mount.source = "/" + words[1];
  mount.destination = "/" + words[2];
  oci::ApplyMountOptions({words.begin() + 3, words.end()}, mount);
  Require((mount.super_flags & mount.super_flags_clear) == 0);
  oci::Mount again = mount;
  oci::ApplyMountOptions({}, again);
  Require(again.attr_set == mount.attr_set && again.data == mount.data);

  isolation::LaunchPlan plan;
  plan.root.emplace();
  plan.root->path = "/";
  isolation::MountStep step;
  step.mount = std::move(mount);
  plan.root->mounts.push_back(std::move(step));
  plan.process.args = {"/bin/true"};
  plan.process.cwd = "/";
  auto compiled = isolation::Compile(plan, {});
  if (!compiled) {
    Require(!compiled.error().Text().empty());
    return 0;
  }
  CheckProgram(compiled->builder.Finish(0, 0));
  return 0;
}
