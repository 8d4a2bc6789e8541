// SPDX-License-Identifier: Apache-2.0
//
// The SQLite file of kiste-bench. Every figure in a report is a query over these tables; the report
// says which.
#pragma once

namespace kiste::bench {

constexpr int kSchemaVersion = 1;  // PRAGMA user_version

constexpr char kSchema[] = R"sql(
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,       -- given, or the time it began
  began TEXT NOT NULL,             -- RFC 3339, UTC
  ended TEXT,                      -- NULL while it runs or when it was interrupted
  command TEXT NOT NULL,           -- the command line, to repeat it
  seed INTEGER NOT NULL,           -- of the order of trials, and of neighbours within one
  rounds INTEGER NOT NULL,         -- without the warm-up, which is round 0
  version TEXT NOT NULL            -- of kiste-bench
);
CREATE TABLE host (                -- what the machine was: kernel, processor, mitigations, cgroups …
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, key)
);
CREATE TABLE target (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,        -- as they were asked for; 0 is shown first
  name TEXT NOT NULL,
  title TEXT NOT NULL,
  isolation TEXT NOT NULL,         -- none, namespaces, user-kernel, virtual-machine
  version TEXT NOT NULL,           -- where its programs are, and what they say of themselves
  baseline INTEGER NOT NULL,       -- 1 for the one that ratios are to
  missing TEXT,                    -- why it could not take part, or NULL
  description TEXT NOT NULL,       -- the TOML
  UNIQUE (run, name)
);
CREATE TABLE workload (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  name TEXT NOT NULL,
  title TEXT NOT NULL,
  axiom TEXT NOT NULL,             -- performance, temporal, spatial, isolation
  method TEXT NOT NULL,
  missing TEXT,                    -- why it could not be run, or NULL
  description TEXT NOT NULL,       -- the TOML
  UNIQUE (run, name)
);
CREATE TABLE trial (               -- one workload on one target in one round
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  target INTEGER NOT NULL REFERENCES target ON DELETE CASCADE,
  workload INTEGER NOT NULL REFERENCES workload ON DELETE CASCADE,
  round INTEGER NOT NULL,          -- 0: warm-up, not counted
  ordinal INTEGER NOT NULL,        -- which one of the run it was
  began TEXT NOT NULL,             -- RFC 3339, UTC
  took_ns INTEGER NOT NULL,
  status TEXT NOT NULL,            -- ok, failed, cannot
  why TEXT,                        -- for failed and cannot
  stolen REAL,                     -- share of processor time that the hypervisor took, 0 to 1
  others REAL,                     -- share that processes outside of the run took, 0 to 1
  disturbed INTEGER NOT NULL,      -- 1 when one of these is over its limit
  UNIQUE (run, target, workload, round)
);
CREATE TABLE value (               -- one sample of one metric; rowid: in the order they were measured in
  trial INTEGER NOT NULL REFERENCES trial ON DELETE CASCADE,
  metric TEXT NOT NULL,            -- syscall/null
  unit TEXT NOT NULL,              -- ns, B/s, 1/s, B, count, ratio
  x_name TEXT,                     -- what it is a function of, or NULL
  x REAL,
  number REAL NOT NULL
);
CREATE INDEX value_by_trial ON value (trial, metric);
CREATE TABLE finding (             -- what a probe saw
  trial INTEGER NOT NULL REFERENCES trial ON DELETE CASCADE,
  probe TEXT NOT NULL,
  verdict TEXT NOT NULL,           -- closed, sees, touches, unknown
  words TEXT NOT NULL
);
CREATE TABLE gap (                 -- a metric that could not be measured in a trial that otherwise went well
  trial INTEGER NOT NULL REFERENCES trial ON DELETE CASCADE,
  metric TEXT NOT NULL,
  why TEXT NOT NULL
);
)sql";

}  // namespace kiste::bench
