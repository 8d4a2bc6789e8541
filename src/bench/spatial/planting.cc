// SPDX-License-Identifier: Apache-2.0
#include "bench/spatial/planting.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "bench/spatial/facts.h"
#include "bench/spatial/files.h"
#include "bench/spatial/kernel.h"
#include "bench/spatial/memory.h"
#include "bench/spatial/witness.h"
#include "sys/random.h"

namespace kiste::bench {

namespace {

// 16 random bytes as hexadecimal digits.
Result<std::string> DrawToken() {
  std::array<unsigned char, 16> bytes{};
  TRY(sys::FillRandom(bytes.data(), bytes.size()));
  std::string token;
  for (unsigned char byte : bytes) {
    token += "0123456789abcdef"[byte >> 4];
    token += "0123456789abcdef"[byte & 15];
  }
  return token;
}

}  // namespace

template <typename T>
void Planting::Keep(const char* what, Result<std::unique_ptr<T>> seed) {
  if (seed) {
    seeds_.push_back(*std::move(seed));
  } else {
    missing_.push_back(StrCat(what, ": ", seed.error().Text()));
  }
}

Result<Planting> Planting::Plant(const std::string& folder) {
  Planting planting;
  planting.token_ = TRY(DrawToken());
  planting.folder_ = folder;
  const std::string& token = planting.token_;
  // Without a secret there is nothing to find: the one that must succeed.
  std::unique_ptr<Seed> secret = TRY(SecretFile::Plant(folder, token));
  planting.seeds_.push_back(std::move(secret));
  planting.Keep("fifo", NamedPipe::Plant(folder));
  planting.Keep("pipe", OpenPipe::Plant());
  planting.Keep("variable", Variable::Plant(token));
  planting.Keep("System V shared memory", Segment::Plant(token));
  planting.Keep("System V semaphores", Semaphores::Plant());
  planting.Keep("System V messages", Messages::Plant());
  planting.Keep("POSIX shared memory", PosixMemory::Plant(token));
  planting.Keep("POSIX message queue", PosixQueue::Plant(token));
  planting.Keep("key", UserKey::Plant(token));
  planting.Keep("kernel log", LogLine::Plant(token));
  planting.Keep("process", Witness::Plant(folder, token));
  return planting;
}

std::vector<std::string> Planting::Arguments() const {
  std::vector<Marker> markers{{"token", token_}, {"folder", folder_}};
  for (const std::unique_ptr<Seed>& seed : seeds_) seed->Tell(markers);
  TellFacts(markers);
  std::vector<std::string> words;
  for (const Marker& marker : markers) {
    words.emplace_back("--marker");
    words.push_back(StrCat(marker.name, "=", marker.value));
  }
  return words;
}

Result<std::vector<Finding>> Planting::Look() {
  std::vector<Finding> findings;
  for (const std::unique_ptr<Seed>& seed : seeds_) TRY(seed->Look(findings));
  return findings;
}

std::vector<Finding> Merge(std::vector<Finding> inside, const std::vector<Finding>& host) {
  for (const Finding& seen : host) {
    auto same = std::ranges::find(inside, seen.probe, &Finding::probe);
    if (same == inside.end()) {
      inside.push_back(seen);
    } else {
      *same = seen;
    }
  }
  return inside;
}

}  // namespace kiste::bench
