// SPDX-License-Identifier: Apache-2.0
#include "bench/kernel/tracer.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

constexpr char kTracing[] = "/sys/kernel/tracing";
constexpr size_t kPageSize = 4096;
constexpr uint64_t kMostBufferKib = 256 << 10;  // for each processor
constexpr useconds_t kPause = 5'000;

Status MountTracing() {
  auto current = StrCat(kTracing, "/current_tracer");
  if (sys::Exists(AT_FDCWD, current)) return {};
  if (mount("tracefs", kTracing, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0 &&
      sys::Exists(AT_FDCWD, current))
    return {};
  return Fail(ErrorKind::kUnsupported, StrCat("tracefs on ", kTracing, ": ", strerror(errno)));
}

// A quarter of what memory is free, for all processors together.
uint64_t BufferKib(size_t processors) {
  auto meminfo = sys::ReadFileAt(AT_FDCWD, "/proc/meminfo");
  uint64_t free = 512 << 10;
  for (auto line : meminfo ? Split(*meminfo, '\n') : std::vector<std::string_view>()) {
    if (!line.starts_with("MemAvailable:")) continue;
    auto rest = Trim(line.substr(line.find(':') + 1));
    free = ParseUint(rest.substr(0, rest.find(' '))).value_or(free);
  }
  return std::min(free / 4 / processors, kMostBufferKib);
}

std::string_view After(std::string_view text, std::string_view word) {
  auto at = text.find(word);
  if (at == std::string_view::npos) return {};
  auto rest = Trim(text.substr(at + word.size()));
  return rest.substr(0, rest.find_first_of(";\n"));
}

}  // namespace

Result<uint16_t> ParseEventId(std::string_view format) {
  auto id = ParseUint(Trim(After(format, "ID:")));
  if (!id) return Invalid("format: expected a line ID, found none");
  return static_cast<uint16_t>(*id);
}

Result<Field> ParseField(std::string_view format, std::string_view name) {
  for (auto line : Split(format, '\n')) {
    bool plain = After(line, "field:").ends_with(StrCat(" ", name));
    bool array = line.find(StrCat(" ", name, "[")) != std::string_view::npos;
    if (!plain && !array) continue;
    auto offset = ParseUint(After(line, "offset:")), size = ParseUint(After(line, "size:"));
    if (offset && size) return Field{*offset, *size};
  }
  return Invalid(StrCat("format: expected a field ", name, ", found none"));
}

Result<std::unique_ptr<Tracer>> Tracer::Make() {
  TRY(MountTracing());
  std::unique_ptr<Tracer> tracer(new Tracer);
  // The name tells apart what several runs trace at once.
  auto space = TRY(sys::ReadLink("/proc/self/ns/pid"));
  std::erase_if(space, [](char letter) { return letter < '0' || letter > '9'; });
  auto folder = StrCat(kTracing, "/instances/kiste-bench-", space, "-", getpid());
  static_cast<void>(rmdir(folder.c_str()));  // of one that was killed
  if (mkdir(folder.c_str(), 0700) != 0)
    return Fail(ErrorKind::kUnsupported, StrCat("mkdir ", folder, ": ", strerror(errno)));
  tracer->folder_ = folder;
  TRY(tracer->Furnish());
  return tracer;
}

Tracer::~Tracer() {
  StopReader();
  buffers_.clear();
  if (folder_.empty()) return;
  static_cast<void>(Write("tracing_on", "0"));
  static_cast<void>(Write("current_tracer", "nop"));
  static_cast<void>(Write("events/enable", "0"));
  // Busy for a moment after the tracer is gone.
  for (int tries = 0; tries < 50 && rmdir(folder_.c_str()) != 0; ++tries) usleep(20'000);
}

Status Tracer::Write(const std::string& file, std::string_view text) const {
  auto written = sys::WriteExisting(StrCat(folder_, "/", file), text);
  bool denied =
      !written && (written.error().errno_value == EPERM || written.error().errno_value == EACCES);
  // A kernel that is locked down (kernel_lockdown(7)) lets nobody trace: nothing has gone wrong.
  if (denied) return Fail(ErrorKind::kUnsupported, written.error().Text());
  return written;
}

Status Tracer::Furnish() {
  TRY(Write("tracing_on", "0"));
  // The clock that clock_gettime(2) has too.
  TRY(Write("trace_clock", "mono"));
  auto processors = static_cast<size_t>(std::max(1L, sysconf(_SC_NPROCESSORS_CONF)));
  TRY(Write("buffer_size_kb", StrCat(BufferKib(processors))));
  TRY(ReadFormats());
  // While somebody reads the buffers the tracer cannot be changed.
  TRY(TraceFunctions());
  return OpenBuffers();
}

Status Tracer::OpenBuffers() {
  auto folder = TRY(sys::Open(StrCat(folder_, "/per_cpu"), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  auto names = TRY(sys::ListDirectory(folder.get(), "per_cpu"));
  for (const auto& name : names) {
    buffers_.push_back(TRY(sys::OpenAt(folder.get(), StrCat(name, "/trace_pipe_raw"),
                                       O_RDONLY | O_NONBLOCK | O_CLOEXEC)));
  }
  page_.resize(kPageSize);
  return {};
}

Result<Tracer::Event> Tracer::Enable(const std::string& event, const char* field,
                                     const char* second) {
  // Those of tracers are described outside of instances, and have no switch.
  bool own = !event.starts_with("ftrace/");
  auto file = StrCat(own ? folder_ : kTracing, "/events/", event, "/format");
  auto format = TRY(sys::ReadFileAt(AT_FDCWD, file));
  Event read;
  read.id = TRY(ParseEventId(format));
  read.field = TRY(ParseField(format, field));
  if (second != nullptr) read.second = TRY(ParseField(format, second));
  if (own) TRY(Write(StrCat("events/", event, "/enable"), "1"));
  return read;
}

Status Tracer::ReadFormats() {
  marker_ = TRY(Enable("ftrace/print", "buf"));
  fork_ = TRY(Enable("sched/sched_process_fork", "parent_pid", "child_pid"));
  exec_ = TRY(Enable("sched/sched_process_exec", "filename"));
  auto call = Enable("raw_syscalls/sys_enter", "id");
  if (call) call_ = *call;
  auto function = Enable("ftrace/function", "ip");
  if (function) {
    function_ = *function;
  } else {
    no_functions_ = function.error().Text();
  }
  return {};
}

// The threads of this program are known to the kernel by the ids of the first pid namespace. What
// they write themselves says which these are.
Status Tracer::LeaveOutOurselves() {
  TRY(Write("tracing_on", "1"));
  reader_ = std::thread([this] { ReadUntilStopped(); });
  TRY(Write("trace_marker", "kiste-bench"));
  auto deadline = Deadline::In(std::chrono::seconds(20));
  while (trace_.own_threads.size() < 2) {
    if (deadline.Over()) return Fail(ErrorKind::kUnsupported, "trace_marker: nothing comes back");
    if (!started_ || !ReadSome()) usleep(kPause);
  }
  TRY(Write("tracing_on", "0"));
  std::string all;
  for (int pid : trace_.own_threads) all += StrCat(pid, " ");
  return Write("set_ftrace_notrace_pid", all);
}

Status Tracer::TraceFunctions() {
  if (!no_functions_.empty()) return {};
  auto left_out = Write("current_tracer", "function");
  if (!left_out) no_functions_ = left_out.error().Text();
  return {};
}

Status Tracer::Begin() {
  TRY(LeaveOutOurselves());
  while (ReadSome()) continue;
  auto own = std::move(trace_.own_threads);
  int first = trace_.own_pid;
  trace_ = {};
  last_thread_ = nullptr;
  last_pid_ = -1;
  trace_.own_threads = std::move(own);
  trace_.own_pid = first;
  go_ = true;
  return Write("tracing_on", "1");
}

void Tracer::ReadUntilStopped() {
  static_cast<void>(Write("trace_marker", "kiste-bench reads"));
  started_ = true;
  while (!go_ && !stop_) usleep(kPause);
  while (!stop_) {
    if (!ReadSome()) usleep(kPause);
  }
}

void Tracer::StopReader() {
  stop_ = true;
  if (reader_.joinable()) reader_.join();
}

Result<Trace> Tracer::End() {
  TRY(Write("tracing_on", "0"));
  StopReader();
  while (ReadSome()) continue;
  trace_.lost += Overruns();
  buffers_.clear();
  TRY(Write("current_tracer", "nop"));
  return std::move(trace_);
}

// Whether there was anything. At most some pages of each processor, so that none waits for long.
bool Tracer::ReadSome() {
  bool some = false;
  for (const auto& buffer : buffers_) {
    for (int pages = 0; pages < 256; ++pages) {
      auto got = read(buffer.get(), page_.data(), page_.size());
      if (got <= 0) break;
      some = true;
      bool lost = ReadRingPage({page_.data(), static_cast<size_t>(got)},
                               [this](const TraceEvent& event) { See(event); });
      if (lost) ++trace_.lost;
    }
  }
  return some;
}

}  // namespace kiste::bench
