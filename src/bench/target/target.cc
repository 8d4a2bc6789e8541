// SPDX-License-Identifier: Apache-2.0
#include "bench/target/target.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>

#include "base/strings.h"
#include "bench/target/bundle.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

constexpr auto kPreparation = std::chrono::seconds(120);
constexpr auto kDaemonStart = std::chrono::seconds(30);

// Ids differ within a run, whatever the target. Letters and digits only: every engine takes them.
std::string NextId() {
  static std::atomic<unsigned> last{0};
  return StrCat("kb", getpid(), "n", ++last);
}

// Letters that may stand in any path and image name.
std::string Plain(std::string_view name) {
  std::string plain(
      name.substr(name.rfind('/') == std::string_view::npos ? 0 : name.rfind('/') + 1));
  for (char& letter : plain) {
    if ((letter < 'a' || letter > 'z') && (letter < '0' || letter > '9')) letter = '-';
  }
  return plain;
}

// A command as the tail of a kernel's command line, which `load` reads as first process of a guest:
// its own words have %20 for a space.
std::string KernelWords(const Words& command) {
  std::string text;
  for (const auto& word : command) {
    if (!text.empty()) text += ' ';
    for (char c : word) text += c == ' ' ? std::string("%20") : std::string(1, c);
  }
  return text;
}

// Bytes of the host's last cache, for what is to fill it: as all targets have it, whatever they
// show inside. At most 256 MiB, which the limits of a workload leave room for; a usual size where
// the processor does not say.
long CacheBytes() {
  constexpr long kUsual = 32l << 20, kMost = 256l << 20;
  for (int level : {_SC_LEVEL3_CACHE_SIZE, _SC_LEVEL2_CACHE_SIZE}) {
    long bytes = sysconf(level);
    if (bytes > 0) return std::min(bytes, kMost);
  }
  return kUsual;
}

Result<sys::cgroup::Resources> ToResources(const Limits& limits) {
  sys::cgroup::Resources resources;
  if (limits.memory)
    resources.memory = sys::cgroup::Memory{.limit = static_cast<int64_t>(*limits.memory)};
  if (limits.cpus) {
    resources.cpu =
        sys::cgroup::Cpu{.period = 100000, .quota = static_cast<int64_t>(*limits.cpus * 100000)};
  }
  if (limits.processor) {
    if (!resources.cpu) resources.cpu.emplace();
    resources.cpu->cpus = StrCat(*limits.processor);
  }
  if (limits.pids) resources.pids_limit = static_cast<int64_t>(*limits.pids);
  return resources;
}

}  // namespace

Status CheckNeeds(const TargetDescription& description) {
  TRY(FindProgram(description.program));
  for (const auto& need : description.needs) {
    if (!need.starts_with('/')) {
      TRY(FindProgram(need));
    } else if (!sys::Exists(AT_FDCWD, need)) {
      return Fail(ErrorKind::kNotFound, StrCat(need, ": not there"));
    }
  }
  for (const auto& [name, command] : description.parts) TRY(FindProgram(name));
  for (const auto& [name, patterns] : description.files) TRY(FindFile(patterns));
  return {};
}

Result<std::unique_ptr<Target>> Target::Make(const TargetDescription& description,
                                             const Room& room) {
  std::unique_ptr<Target> target(new Target(description, room));
  TRY(CheckNeeds(description));
  target->program_ = TRY(FindProgram(description.program));
  target->folder_ = StrCat(room.folder, "/", Plain(description.name));
  TRY(sys::MakeDirectories(StrCat(target->folder_, "/state"), 0700));
  return target;
}

Target::~Target() {
  for (const auto* root : images_) {
    auto placeholders = Common();
    placeholders["rootfs"] = {root->path};
    placeholders["image"] = {root->image};
    static_cast<void>(RunAll(description_.remove_image, placeholders));
  }
  if (prepared_) static_cast<void>(RunAll(description_.undo, Common()));
  if (daemon_) {
    daemon_->Signal(SIGTERM);
    static_cast<void>(daemon_->Wait(Deadline::In(std::chrono::seconds(10))));
  }
}

Placeholders Target::Common() const {
  Placeholders values = {{"program", {program_}},
                         {"state", {StrCat(folder_, "/state")}},
                         {"folder", {folder_}},
                         {"run", {room_.run}},
                         {"cgroup-parent", {room_.cgroup}}};
  // Other programs by their names: {runc} is where PATH has it.
  for (const auto& need : description_.needs) {
    if (auto found = FindProgram(need)) values[need] = {*found};
  }
  for (const auto& [name, command] : description_.parts) {
    if (auto found = FindProgram(name)) values[name] = {*found};
  }
  for (const auto& [name, patterns] : description_.files) {
    if (auto found = FindFile(patterns)) values[name] = {*found};
  }
  return values;
}

Start Target::Begin(Words words) const {
  return {.words = std::move(words), .environment = description_.environment};
}

std::string Target::FirstLine(const Words& command) const {
  auto words = FillIn(command, Common());
  if (!words || words->empty()) return {};
  auto said = Succeed(Begin(*words), Deadline::In(std::chrono::seconds(10)));
  if (!said) return {};
  return std::string(Trim(Split(said->text, '\n').front()));
}

std::string Target::Version() const {
  std::vector<std::string> told;
  auto tell = [&](const std::string& path, const Words& command) {
    auto line = FirstLine(command);
    told.push_back(line.empty() ? path : StrCat(path, ": ", line));
  };
  if (!description_.version.empty()) tell(program_, description_.version);
  auto values = Common();
  for (const auto& [name, command] : description_.parts) tell(values[name].front(), command);
  for (const auto& [name, patterns] : description_.files) tell(values[name].front(), {});
  return Join(told, "; ");
}

std::vector<std::string> Target::FilesRead() const {
  std::vector<std::string> files = {program_};
  auto values = Common();
  auto add = [&](const std::string& name) {
    const auto& found = values[name];  // empty when it has gone meanwhile
    files.insert(files.end(), found.begin(), found.end());
  };
  for (const auto& need : description_.needs) add(need);
  for (const auto& [name, command] : description_.parts) add(name);
  for (size_t at = 0, programs = files.size(); at < programs; ++at) {
    auto libraries = LibrariesOf(files[at]);
    files.insert(files.end(), libraries.begin(), libraries.end());
  }
  for (const auto& [name, patterns] : description_.files) add(name);
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator at(folder_, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;
    if (at->symlink_status(gone).type() == std::filesystem::file_type::regular)
      files.push_back(at->path());
  }
  return files;
}

Status Target::RunAll(const std::vector<Words>& commands, const Placeholders& placeholders) const {
  for (const auto& command : commands) {
    auto words = TRY(FillIn(command, placeholders));
    TRY(Succeed(Begin(std::move(words)), Deadline::In(kPreparation)));
  }
  return {};
}

Status Target::BeginDaemon() {
  auto start = Begin(TRY(FillIn(description_.daemon, Common())));
  start.read_output = false;
  daemon_ = TRY(Running::Begin(start));
  auto ask = Begin(TRY(FillIn(description_.daemon_ready, Common())));
  auto deadline = Deadline::In(kDaemonStart);
  while (true) {
    auto answered = Succeed(ask, Deadline::In(std::chrono::seconds(5)));
    if (answered) return {};
    if (daemon_->HasEnded()) {
      TRY(daemon_->WaitForSuccess(Deadline::In(std::chrono::seconds(1))));
      return Fail(ErrorKind::kState, "daemon: expected to run on, found ended");
    }
    if (deadline.Over()) return std::unexpected(std::move(answered).error().With("daemon"));
    usleep(50'000);
  }
}

Status Target::Prepare() {
  if (failed_) return std::unexpected(*failed_);
  if (prepared_) return {};
  prepared_ = true;
  auto done = description_.daemon.empty() ? Status() : BeginDaemon();
  if (done) done = RunAll(description_.prepare, Common());
  if (!done && !Interrupted()) failed_ = done.error();
  return done;
}

Status Target::PrepareImage(const RootFileSystem& root) {
  if (failed_) return std::unexpected(*failed_);
  for (const auto* made : images_) {
    if (made->path == root.path) return {};
  }
  if (description_.make_image.empty()) return {};
  auto placeholders = Common();
  placeholders["rootfs"] = {root.path};
  placeholders["image"] = {root.image};
  images_.push_back(&root);
  auto made = RunAll(description_.make_image, placeholders);
  if (!made && !Interrupted()) failed_ = made.error();
  return made;
}

Status Target::CheckAsk(const Ask& ask) const {
  auto lacks = [this](std::string_view what) {
    return Fail(ErrorKind::kUnsupported,
                StrCat("target ", description_.name, " has no way to ", what));
  };
  if (ask.link != nullptr && !description_.link) return lacks("be given a network link");
  if (ask.data && !description_.can_data) return lacks("be given a folder");
  if (description_.cgroup != CgroupMaker::kTarget) return {};
  if (ask.limits.cpus && !description_.limits.contains("cpus")) return lacks("limit processors");
  if (ask.limits.memory && !description_.limits.contains("memory")) return lacks("limit memory");
  if (ask.limits.pids && !description_.limits.contains("pids")) return lacks("limit processes");
  return {};
}

bool Target::CanPin() const {
  return description_.cgroup != CgroupMaker::kTarget || description_.limits.contains("processor");
}

// Whether the target's cgroup is within one of ours. Without limits it is not: that would be one
// more to pay for.
bool Target::LimitsAbove(const Ask& ask) const {
  return description_.cgroup == CgroupMaker::kWithin && ask.limits != Limits();
}

Status Target::JoinCgroup(const Ask& ask, Instance& instance) const {
  if (description_.cgroup != CgroupMaker::kBench && !LimitsAbove(ask)) return {};
  auto layout = TRY(sys::cgroup::Detect());
  if (layout.hierarchies.empty()) return {};
  instance.cgroup_ =
      TRY(sys::cgroup::Cgroup::Create(layout, StrCat(room_.cgroup, "/", instance.id_)));
  auto resources = TRY(ToResources(ask.limits));
  TRY(instance.cgroup_->Apply(resources));
  if (!LimitsAbove(ask)) instance.tasks_ = TRY(OpenTasks(*instance.cgroup_));
  return {};
}

Status Target::FillPlaceholders(const Ask& ask, Instance& instance) const {
  auto& values = instance.placeholders_;
  values = Common();
  values["id"] = {instance.id_};
  values["rootfs"] = {ask.root->path};
  values["image"] = {ask.root->image};
  auto cgroup = StrCat(room_.cgroup, "/", instance.id_);
  values["cgroup"] = {LimitsAbove(ask) ? StrCat(cgroup, "/", instance.id_) : cgroup};
  bool inside = description_.inside_paths;
  values["load"] = {inside ? "/load" : ask.root->load};
  values["inside"] = {kInsideAddress};
  values["outside"] = {kOutsideAddress};
  values["cache"] = {StrCat(CacheBytes())};
  values["source"] = {instance.data_};
  if (ask.link != nullptr) values["link"] = {ask.link->path()};
  if (ask.limits.cpus)
    values["cpus"] = {StrCat(static_cast<int64_t>(*ask.limits.cpus * 1000), "e-3")};
  if (ask.limits.memory) values["memory"] = {StrCat(*ask.limits.memory)};
  if (ask.limits.pids) values["pids"] = {StrCat(*ask.limits.pids)};
  if (ask.limits.processor) values["processor"] = {StrCat(*ask.limits.processor)};
  Words limits;
  for (const auto& [name, words] : description_.limits) {
    if (!values.contains(name)) continue;
    auto filled = TRY(FillIn(words, values));
    limits.insert(limits.end(), filled.begin(), filled.end());
  }
  values["limits"] = limits;
  values["network"] = TRY(
      FillIn(ask.link != nullptr ? description_.network_link : description_.network_none, values));
  auto data = ask.data ? TRY(FillIn(description_.data, values)) : Words();
  // In a command inside {data} is the folder; outside, the words that bring it there.
  values["data"] = {inside ? "/data" : instance.data_};
  instance.command_ = TRY(FillIn(ask.command, values));
  values["data"] = data;
  values["command"] = instance.command_;
  auto kernel_words = KernelWords(instance.command_);
  constexpr size_t kRoom = 1800;  // of 2048 bytes on x86 (arch/x86/include/asm/setup.h)
  if (description_.isolation == "virtual-machine" && kernel_words.size() > kRoom) {
    return Fail(ErrorKind::kUnsupported, StrCat("the command has ", kernel_words.size(),
                                                " bytes, more than a kernel's command line takes"));
  }
  values["words"] = {kernel_words};
  return {};
}

Result<Instance> Target::MakeInstance(const Ask& ask) const {
  TRY(CheckAsk(ask));
  Instance instance(*this, NextId());
  instance.patience_ = ask.patience;
  auto folder = StrCat(folder_, "/", instance.id_);
  TRY(sys::MakeDirectories(folder, 0755));
  if (ask.data) {
    instance.data_ = StrCat(folder, "/data");
    TRY(sys::MakeDirectories(instance.data_, 0777));
  }
  if (ask.link != nullptr && description_.enter_link) instance.network_ = ask.link->fd();
  TRY(FillPlaceholders(ask, instance));
  TRY(JoinCgroup(ask, instance));
  instance.bundle_ = folder;
  instance.placeholders_["bundle"] = {folder};
  if (!description_.bundle) return instance;
  BundleRequest bundle = {.rootfs = ask.root->path,
                          .command = instance.command_,
                          .cgroup = instance.placeholders_["cgroup"].front(),
                          .network = ask.link != nullptr ? ask.link->path() : "",
                          .data = instance.data_,
                          .limits = ask.limits};
  if (description_.seccomp) bundle.seccomp = TRY(DefaultSeccompProfile());
  auto directory = TRY(sys::Open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  TRY(sys::ReplaceFileAt(directory.get(), "config.json", ConfigJson(bundle), 0644));
  return instance;
}

}  // namespace kiste::bench
