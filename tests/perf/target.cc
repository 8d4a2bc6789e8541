// SPDX-License-Identifier: Apache-2.0
#include "target.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace kiste::perf {
namespace {

constexpr const char* kReleaseBuild = "build/release/bin/kiste-oci";

Argv operator+(Argv left, const Argv& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

class OciRuntime : public Target {
 public:
  OciRuntime(std::string name, Argv program, std::string state)
      : Target(std::move(name), std::move(program), std::move(state)) {
    program_.insert(program_.end(), {"--root", state_});
  }
  bool Can(Verb) const override { return true; }
  bool CanFilter() const override { return true; }
  Argv VersionCommand() const override { return {Program(), "--version"}; }

  Argv Command(Verb verb, const Container& c) const override {
    switch (verb) {
      case Verb::kRun:
        return program_ + Argv{"run", "--bundle", c.bundle, c.id};
      case Verb::kCreate:
        return program_ + Argv{"create", "--bundle", c.bundle, "--pid-file", c.pid_file, c.id};
      case Verb::kStart:
        return program_ + Argv{"start", c.id};
      case Verb::kState:
        return program_ + Argv{"state", c.id};
      case Verb::kExec:
        return program_ + Argv{"exec", c.id} + c.exec_payload;
      case Verb::kPause:
        return program_ + Argv{"pause", c.id};
      case Verb::kResume:
        return program_ + Argv{"resume", c.id};
      case Verb::kKill:
        return program_ + Argv{"kill", c.id, "KILL"};
      case Verb::kDelete:
        return program_ + Argv{"delete", c.id};
    }
    return {};
  }
};

class Floor : public Target {
 public:
  Floor(std::string name, Argv program, std::string state)
      : Target(std::move(name), std::move(program), std::move(state)) {}
  bool Can(Verb) const override { return true; }
  bool CanFilter() const override { return true; }  // it runs without, as the bound of both
  Argv VersionCommand() const override { return {}; }

  Argv Command(Verb verb, const Container& c) const override {
    const std::string fifo = state_ + "/" + c.id;
    switch (verb) {
      case Verb::kRun:
        return program_ + Argv{"run", c.id, c.rootfs} + c.payload;
      case Verb::kCreate:
        return program_ + Argv{"create", c.id, c.rootfs, fifo, c.pid_file} + c.payload;
      case Verb::kStart:
        return program_ + Argv{"start", fifo};
      case Verb::kState:
        return program_ + Argv{"state"};
      case Verb::kExec:
        return program_ + Argv{"exec", std::to_string(c.pid), c.id} + c.exec_payload;
      case Verb::kPause:
        return program_ + Argv{"pause", c.id};
      case Verb::kResume:
        return program_ + Argv{"resume", c.id};
      case Verb::kKill:
        return program_ + Argv{"kill", std::to_string(c.pid), std::to_string(SIGKILL)};
      case Verb::kDelete:
        return program_ + Argv{"delete", c.id, fifo};
    }
    return {};
  }
};

class Bubblewrap : public Target {
 public:
  Bubblewrap(std::string name, Argv program, std::string state)
      : Target(std::move(name), std::move(program), std::move(state)) {}
  bool Can(Verb verb) const override { return verb == Verb::kRun; }
  bool CanFilter() const override { return false; }
  Argv VersionCommand() const override { return {Program(), "--version"}; }

  Argv Command(Verb, const Container& c) const override {
    static const Argv kOptions = {"--unshare-pid",
                                  "--unshare-net",
                                  "--unshare-ipc",
                                  "--unshare-uts",
                                  "--unshare-cgroup",
                                  "--hostname",
                                  "runc",
                                  "--proc",
                                  "/proc",
                                  "--dev",
                                  "/dev",
                                  "--mqueue",
                                  "/dev/mqueue",
                                  "--cap-drop",
                                  "ALL",
                                  "--new-session",
                                  "--die-with-parent"};
    return program_ + Argv{"--ro-bind", c.rootfs, "/"} + kOptions + c.payload;
  }
};

std::string DefaultProgram(const std::string& name, const std::string& own_directory) {
  if (name == "floor") return own_directory + "/runtime-floor";
  if (name != "kiste") return name;
  const std::string beside = own_directory + "/kiste-oci";
  return access(kReleaseBuild, X_OK) != 0 && access(beside.c_str(), X_OK) == 0 ? beside
                                                                               : kReleaseBuild;
}

Argv Words(const std::string& text) {
  std::istringstream in(text);
  Argv words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

bool IsPlainName(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '.';
  });
}

}  // namespace

Result<std::string> FindProgram(const std::string& name) {
  std::error_code error;
  if (name.contains('/')) {
    if (access(name.c_str(), X_OK) == 0) return std::filesystem::absolute(name, error).native();
    return FailErrno(name);
  }
  const char* path = std::getenv("PATH");
  std::istringstream folders((path ? path : "") +
                             std::string(":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string& candidate = folder.append("/").append(name);
    if (candidate.starts_with('/') && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return Fail(name + ": not in PATH");
}

Result<std::unique_ptr<Target>> MakeTarget(const std::string& text,
                                           const std::string& own_directory,
                                           const std::string& work_directory) {
  const size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  if (!IsPlainName(name)) return Fail("'" + text + "': a name is letters, digits, - and .");
  std::string kind = name == "floor" || name == "bwrap" ? name : "oci";
  Argv program;
  if (equals == std::string::npos) {
    program = {DefaultProgram(name, own_directory)};
  } else {
    std::string value = text.substr(equals + 1);
    for (const char* known : {"oci", "floor", "bwrap"}) {
      const std::string mark = std::string(known) + ":";
      if (!value.starts_with(mark)) continue;
      kind = known;
      value.erase(0, mark.size());
      break;
    }
    program = Words(value);
  }
  if (program.empty()) return Fail("'" + text + "': no program");
  program[0] = TRY(FindProgram(program[0]));

  const std::string state = work_directory + "/state-" + name;
  std::error_code error;
  std::filesystem::create_directories(state, error);
  if (kind == "floor") return std::make_unique<Floor>(name, program, state);
  if (kind == "bwrap") return std::make_unique<Bubblewrap>(name, program, state);
  return std::make_unique<OciRuntime>(name, program, state);
}

}  // namespace kiste::perf
