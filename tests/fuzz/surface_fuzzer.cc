// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer over what `surface` reads of a container's process, whose names are its own: an input
// is its status, uid_map and mountinfo, with a line "--" between them. What was read can be scored.
//   build/fuzz/fuzz/surface_fuzzer tests/fuzz/corpus/surface
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "runtime/surface.h"

namespace {

// The text up to the next line "--", which is taken off with it.
std::string_view Part(std::string_view& text) {
  constexpr std::string_view kBetween = "\n--\n";
  size_t end = text.find(kBetween);
  auto part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + kBetween.size());
  return part;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto status = Part(text);
  auto uid_map = Part(text);
  kiste::runtime::SurfaceFacts facts;
  facts.mounts = {
      {"/data", "bind", "/srv", false, kiste::runtime::SurfaceMount::Kind::kMount, false}};
  kiste::runtime::AddProcessTexts(status, uid_map, text, facts);
  auto groups = kiste::runtime::ScoreSurface(facts);
  if (!groups) return 0;  // a filter that is not there cannot be scored
  for (const auto& group : *groups) {
    if (group.score < 0 || group.score > 100) abort();
  }
  return 0;
}
