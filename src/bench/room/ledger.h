// SPDX-License-Identifier: Apache-2.0
//
// What a run makes and what outlives its processes, written down before it is made; so that whoever
// comes after a kill -9 knows what to take away, and touches nothing else.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::bench {

constexpr char kLedgerFolder[] = "/run/kiste-bench";

// Both absolute; the cgroup as a path in every hierarchy.
struct Belongings {
  std::string folder, cgroup;
};

// A ledger that this process holds: locked (flock(2)) while it lives.
class Ledger {
 public:
  // kExists when a run of that name lives, or has left something: `clean` first.
  static Result<Ledger> Write(const std::string& run, const Belongings& belongings);
  // The file goes away, with what it names taken away before.
  Status Settle();
  const Belongings& belongings() const { return belongings_; }
  // The child that does the run must not hold the lock longer than we do.
  void CloseInChild() { file_.Reset(); }

 private:
  Ledger() = default;
  std::string path_;
  Belongings belongings_;
  Fd file_;
};

// Ends what runs in the cgroup, removes it and the folder. What is not there is no error.
Status TakeAway(const Belongings& belongings);

struct Cleaned {
  std::string run;
  bool alive = false;  // somebody holds its lock: left alone
};
// Settles every ledger that nobody holds. `folder` is kLedgerFolder but in tests.
Result<std::vector<Cleaned>> CleanUp(const std::string& folder = kLedgerFolder);

}  // namespace kiste::bench
