// SPDX-License-Identifier: Apache-2.0
#include "stage.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

#include "tracer.h"

namespace kiste::faults {

namespace {

namespace fs = std::filesystem;

constexpr char kConfig[] = R"({
 "ociVersion": "1.0.2",
 "process": {"user": {"uid": 0, "gid": 0}, "args": ["/bin/busybox", "sleep", "1000"], "cwd": "/",
  "env": ["PATH=/bin"], "noNewPrivileges": true,
  "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]},
  "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}]},
 "root": {"path": "@ROOT@", "readonly": true},
 "hostname": "faults",
 "mounts": [
  {"destination": "/proc", "type": "proc", "source": "proc"},
  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
  {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance"]},
  {"destination": "/mnt", "type": "bind", "source": "@ROOT@/etc", "options": ["rbind", "ro"]}],
 @HOOKS@
 "linux": {
  "resources": {@LIMITS@ "devices": [{"allow": false, "access": "rwm"}]},
  @USERS@
  "namespaces": [@NAMESPACES@ {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}],
  "maskedPaths": ["/proc/kcore", "/proc/acpi"], "readonlyPaths": ["/proc/sys"],
  "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["acct"], "action": "SCMP_ACT_ERRNO"}]}}
})";

constexpr char kUsers[] = R"("uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
  "gidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],)";

std::string Replace(std::string text, const std::string& from, const std::string& to) {
  for (size_t at; (at = text.find(from)) != std::string::npos;) text.replace(at, from.size(), to);
  return text;
}

std::string Hooks(const std::string& root) {
  std::string text = R"("hooks": {)";
  for (const char* kind : {"prestart", "createRuntime", "createContainer", "startContainer",
                           "poststart", "poststop"}) {
    bool inside = std::string(kind) == "startContainer";
    text += std::string(kind[0] == 'p' && kind[1] == 'r' ? "\"" : ",\"") + kind +
            R"(": [{"path": ")" + (inside ? "" : root) +
            R"(/bin/busybox", "args": ["busybox", "true"], "timeout": 5}])";
  }
  return text + "},";
}

std::vector<std::string> Lines(const std::string& file) {
  std::vector<std::string> lines;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> Words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(std::move(word));
  return words;
}

// The mount points of all cgroup hierarchies.
std::vector<std::string> CgroupMounts() {
  std::vector<std::string> points;
  for (const auto& line : Lines("/proc/self/mountinfo")) {
    auto dash = line.find(" - cgroup");
    if (dash != std::string::npos) points.push_back(Words(line)[4]);
  }
  return points;
}

std::vector<pid_t> Children() {
  std::vector<pid_t> pids;
  for (const auto& task : fs::directory_iterator("/proc/self/task")) {
    for (const auto& line : Lines(task.path().string() + "/children")) {
      for (const auto& word : Words(line)) pids.push_back(std::stoi(word));
    }
  }
  return pids;
}

void Reap() {
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

void Pause(long milliseconds) {
  timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  nanosleep(&time, nullptr);
}

void WriteText(const std::string& file, const std::string& text) { std::ofstream(file) << text; }

}  // namespace

void Say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

Stage::Stage(const std::string& runtime, const std::string& source)
    : runtime_(runtime), folder_("/tmp/kiste-faults-XXXXXX") {
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", nullptr, MS_REC | MS_SHARED, nullptr) < 0) {
    perror("a mount namespace");
    exit(1);
  }
  if (mkdtemp(folder_.data()) == nullptr) abort();
  chmod(folder_.c_str(), 0755);
  id_ = Replace(fs::path(folder_).filename(), "kiste-", "k");
  std::string root = folder_ + "/rootfs", output;
  if (Run({source + "/tools/make-rootfs", root}, &output, 60) != 0) {
    Say("make-rootfs: " + output);
    exit(1);
  }
  std::string plain = Replace(kConfig, "@ROOT@", root);
  auto fill = [&plain](const std::string& hooks, const std::string& users, const char* namespaces,
                       const char* limits) {
    return Replace(Replace(Replace(Replace(plain, "@HOOKS@", hooks), "@USERS@", users),
                           "@NAMESPACES@", namespaces),
                   "@LIMITS@", limits);
  };
  constexpr char kLimits[] = R"("pids": {"limit": 64}, "cpu": {"shares": 512},)";
  WriteBundle("plain", fill("", "", R"({"type": "pid"},)", kLimits));
  WriteBundle("users", fill("", kUsers, R"({"type": "pid"}, {"type": "user"}, {"type": "cgroup"},)",
                            kLimits));
  WriteBundle("hooks", fill(Hooks(root), "", R"({"type": "pid"},)", kLimits));
  WriteBundle("bare", fill("", "", "", ""));
  mounts_ = Lines("/proc/self/mountinfo");
  for (const auto& point : CgroupMounts()) cgroup_parents_.push_back(point);
}

Stage::~Stage() {
  Clear();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void Stage::WriteBundle(const std::string& name, const std::string& config) const {
  fs::create_directory(Bundle(name));
  WriteText(Bundle(name) + "/config.json", config);
}

std::vector<std::string> Stage::Command(std::vector<std::string> words) const {
  std::vector<std::string> command = {runtime_, "--root", folder_ + "/state"};
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

std::string Stage::Look() {
  Reap();
  std::string found;
  auto mounts = Lines("/proc/self/mountinfo");
  for (const auto& line : mounts) {
    if (std::ranges::find(mounts_, line) == mounts_.end() &&
        line.find(folder_) != std::string::npos) {
      found += " [mount " + line + "]";
    }
  }
  for (const auto& [kind, names] :
       {std::pair{"state", folder_ + "/state"}, {"cache", folder_ + "/state/.seccomp"}}) {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(names, missing)) {
      std::string name = entry.path().filename();
      bool cache = name == ".seccomp" || (kind[0] == 'c' && name.find('.') == std::string::npos);
      if (!cache) found += std::string(" [") + kind + " " + name + "]";
    }
  }
  for (const auto& entry : fs::directory_iterator(folder_)) {
    static const std::set<std::string> kOurs = {"rootfs", "state", "plain",
                                                "users",  "hooks", "bare"};
    std::string name = entry.path().filename();
    if (!kOurs.contains(name)) found += " [file " + name + "]";
  }
  for (pid_t pid : Children()) {
    auto lines = Lines("/proc/" + std::to_string(pid) + "/stat");
    found += " [process " + (lines.empty() ? std::to_string(pid) : lines[0].substr(0, 40)) + "]";
  }
  for (const auto& parent : cgroup_parents_) {
    // The container's cgroup is below the walk's own, whose path ends every hierarchy's line.
    for (const auto& line : Lines("/proc/self/cgroup")) {
      std::string own = line.substr(line.find(':', line.find(':') + 1) + 1);
      std::string path = parent + (own == "/" ? "" : own) + "/" + id_;
      if (access(path.c_str(), F_OK) == 0 && found.find(path) == std::string::npos)
        found += " [cgroup " + path + "]";
      if (access((parent + "/" + id_).c_str(), F_OK) == 0 &&
          found.find(parent + "/" + id_) == std::string::npos)
        found += " [cgroup " + parent + "/" + id_ + "]";
    }
  }
  return found;
}

std::string Stage::Leaks() {
  std::string found = Look();
  for (int i = 0; i < 100 && !found.empty(); ++i) {
    Pause(i < 20 ? 2 : 10);
    found = Look();
  }
  return found;
}

void Stage::Clear() {
  for (int round = 0; round < 50; ++round) {
    for (const auto& parent : cgroup_parents_) {
      for (const auto& line : Lines("/proc/self/cgroup")) {
        std::string own = line.substr(line.find(':', line.find(':') + 1) + 1);
        for (const auto& path : {parent + own + "/" + id_, parent + "/" + id_}) {
          if (access((path + "/freezer.state").c_str(), F_OK) == 0)
            WriteText(path + "/freezer.state", "THAWED");
          if (access((path + "/cgroup.freeze").c_str(), F_OK) == 0)
            WriteText(path + "/cgroup.freeze", "0");
          rmdir(path.c_str());
        }
      }
    }
    for (pid_t pid : Children()) kill(pid, SIGKILL);
    std::error_code ignored;
    fs::remove_all(folder_ + "/state", ignored);
    if (Look().empty()) return;
    Pause(20);
  }
}

}  // namespace kiste::faults
