// SPDX-License-Identifier: Apache-2.0
//
// Where the walk takes place: a mount namespace of its own, all of it shared, so that a mount that
// a runtime lets escape arrives here; a subreaper, so that orphans become children of this process;
// a folder with bundles and a state folder. Nothing waits for ever.
#pragma once

#include <string>
#include <vector>

namespace kiste::faults {

class Stage {
 public:
  // `source` is the project's folder (for tools/make-rootfs).
  Stage(const std::string& runtime, const std::string& source);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // A bundle by its name: plain, users (a user namespace, so that the launcher forks twice), hooks
  // (every kind of hook), bare (no pid namespace, no cgroups).
  std::string Bundle(const std::string& name) const { return folder_ + "/" + name; }
  // The runtime's command line.
  std::vector<std::string> Command(std::vector<std::string> words) const;
  const std::string& id() const { return id_; }
  const std::string& folder() const { return folder_; }

  // What is there that was not when the stage was set, in words; empty when nothing is. What is on
  // its way out gets a moment.
  std::string Leaks();
  // Ends and removes all that Leaks() sees, as far as it can.
  void Clear();

 private:
  void WriteBundle(const std::string& name, const std::string& config) const;
  std::string Look();

  std::string runtime_, folder_, id_;
  std::vector<std::string> mounts_, cgroup_parents_;
};

// One line to standard output, at once.
void Say(const std::string& line);

}  // namespace kiste::faults
