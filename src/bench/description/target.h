// SPDX-License-Identifier: Apache-2.0
//
// What a file in targets/ says: how a program is started in a sandbox, and how the sandbox's life
// goes on. Words may have placeholders (placeholders.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bench/description/toml.h"

namespace kiste::bench {

// What can be done to a sandbox; a target has a command line for some of them.
enum class Verb {
  kRun,       // in the foreground: its standard output is the program's, it ends with the program
  kDetached,  // returns when the program runs
  kCreate,
  kStart,
  kExec,
  kPause,
  kUnpause,
  kStop,  // returns when the program has ended, or was told to
  kDelete,
};
std::string_view VerbName(Verb verb);

// Who makes the cgroup of an instance, and sets its limits.
enum class CgroupMaker {
  kBench,   // we do, and the command starts in it
  kBundle,  // config.json names it
  kTarget,  // the target does, by `limits`
  kWithin,  // the target does, and where there are limits it is within one that we make with them
};

struct TargetDescription {
  std::string name;    // of the file, without .toml
  std::string source;  // the file's text
  std::string title, isolation;
  std::string program;             // looked up in PATH
  std::vector<std::string> needs;  // other programs and absolute paths without which it is missing
  std::map<std::string, Words>
      files;      // by placeholder: patterns (glob(7)) of which one must be there
  Words version;  // a command whose first line is the version; may be empty
  std::map<std::string, Words> parts;  // needed and taking part: by name, its own such command

  // The program inside is no process of the host, but runs in one whose command line begins with a
  // word that ends so; "" when it is one itself.
  std::string process;

  bool bundle = false;       // an OCI bundle is written for each instance
  bool seccomp = false;      // with podman's default profile in it
  bool inside_paths = true;  // false: the program sees the host's paths (no root of its own)
  CgroupMaker cgroup = CgroupMaker::kBench;

  std::map<Verb, Words> commands;
  std::map<std::string, std::string> environment;

  std::vector<Words> prepare, undo;  // once in a run, before the first and after the last trial
  Words daemon, daemon_ready;        // started before, asked until it answers
  std::vector<Words> make_image, remove_image;  // for each root file system
  std::map<std::string, Words> limits;  // cpus, memory, pids, processor -> words for {limits}
  Words network_none, network_link;     // for {network}
  bool link = false;                    // can be given the run's network link
  bool enter_link = false;              // by being started in its namespace
  Words data;                           // for {data}: the words that mount {source} at /data
  bool can_data = false;
};

// `name` is the file's, without .toml. kInvalid as json.h has it.
Result<TargetDescription> ParseTarget(std::string_view text, const std::string& name,
                                      const std::string& file);

// What `oci:PATH` stands for: any runtime that takes runc's command line.
TargetDescription OciTarget(const std::string& program);

}  // namespace kiste::bench
