// SPDX-License-Identifier: Apache-2.0
#include "runtime/selection.h"

#include "base/pattern.h"
#include "base/strings.h"

namespace kiste::runtime {

Status ForEachMatching(const Store& store, const std::string& expression, const Warn& warn,
                       const std::function<Status(const std::string& id)>& deed) {
  auto pattern = TRY_CONTEXT(Pattern::Compile(expression), "--regex");
  size_t matched = 0;
  std::vector<Error> failures;
  for (const auto& id : TRY(store.Ids())) {
    if (!pattern.Matches(id)) continue;
    ++matched;
    auto done = deed(id);
    if (done) continue;
    failures.push_back(std::move(done).error());
    warn(StrCat(id, ": ", failures.back().Text()));
  }
  if (failures.empty()) return {};
  if (matched == 1) return std::unexpected(std::move(failures[0]));
  return Fail(failures[0].kind, StrCat("--regex: ", failures.size(), " of ", matched,
                                       " containers failed, the first with: ", failures[0].Text()));
}

}  // namespace kiste::runtime
