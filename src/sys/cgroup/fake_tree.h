// SPDX-License-Identifier: Apache-2.0
//
// For tests: a directory tree that looks like a cgroup file system, on which what is written can be
// read back. The kernel fills a new cgroup with files; here the test does.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "sys/cgroup/directory.h"
#include "sys/cgroup/layout.h"

namespace kiste::sys::cgroup {

class FakeTree {
 public:
  FakeTree() {
    std::string name = std::filesystem::temp_directory_path() / "kiste-cgroup-XXXXXX";
    root_ = mkdtemp(name.data()) == nullptr ? "" : name;
  }
  FakeTree(const FakeTree&) = delete;
  FakeTree& operator=(const FakeTree&) = delete;
  ~FakeTree() {
    std::error_code ignored;
    if (!root_.empty()) std::filesystem::remove_all(root_, ignored);
  }

  const std::string& root() const { return root_; }
  // Makes the file with its parents.
  void Put(const std::string& file, const std::string& text = "") {
    std::filesystem::create_directories(std::filesystem::path(root_ + "/" + file).parent_path());
    std::ofstream(root_ + "/" + file) << text;
  }
  std::string Get(const std::string& file) const {
    std::ifstream stream(root_ + "/" + file);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
  }
  bool Has(const std::string& file) const { return std::filesystem::exists(root_ + "/" + file); }

  // `path` as a cgroup of a host with v2 only.
  Directory V2Directory(const std::string& path, bool fresh = true) const {
    Directory directory;
    directory.v2 = true;
    directory.controllers = {""};
    directory.path = root_ + path;
    directory.root_length = root_.size();
    directory.fresh = fresh;
    return directory;
  }
  Layout V2Layout(const std::string& own = "/") const {
    Layout layout{Kind::kV2, {}};
    layout.hierarchies.push_back({true, {""}, root_, own});
    return layout;
  }

 private:
  std::string root_;
};

}  // namespace kiste::sys::cgroup
