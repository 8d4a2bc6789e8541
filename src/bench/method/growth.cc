// SPDX-License-Identifier: Apache-2.0
//
// What the size of the root file system costs, after Manco et al. 2017, who inject bytes that
// nobody reads into the image of a virtual machine and see its boot grow with them.
#include "base/strings.h"
#include "bench/method/method.h"

namespace kiste::bench {

Result<Outcome> MeasureGrowth(const Trial& trial) {
  Outcome outcome;
  auto repeats = static_cast<int>(trial.workload.Number("repeats", 3));
  for (double size : trial.workload.Numbers("bytes", {0, 64 << 20, 256 << 20})) {
    auto filler = static_cast<uint64_t>(size);
    const auto* root = TRY(trial.roots.Get(trial.workload.programs, filler));
    bool makes_images = !trial.target.description().make_image.empty();
    auto began = Clock::now();
    TRY(trial.target.PrepareImage(*root));
    // The first round makes the image, later ones have it.
    auto made_in = Clock::now() - began;
    if (makes_images && made_in > std::chrono::milliseconds(1))
      outcome.AddAt({"bytes", size}, "growth/image", "ns", static_cast<double>(made_in.count()));
    for (int i = 0; i < repeats; ++i) {
      auto instance = TRY(trial.Make({"{load}", "now"}, nullptr, filler));
      auto took = TRY(instance.Boot());
      outcome.AddAt({"bytes", size}, "growth/boot", "ns", static_cast<double>(took.count()));
    }
  }
  return outcome;
}

}  // namespace kiste::bench
