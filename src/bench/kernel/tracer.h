// SPDX-License-Identifier: Apache-2.0
//
// The kernel's function tracer (Documentation/trace/ftrace.rst), for the whole system, in an
// instance of its own: nobody else's tracing is touched. A thread reads the buffers while they
// fill, so that nothing is lost; this program itself is not traced, but what it starts is.
//
// What is kept is not the events but what they tell: which function ran for which thread, at first
// and at last, in an interrupt or not; who has forked whom; what was executed; which system calls
// were made.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "bench/kernel/ring_page.h"

namespace kiste::bench {

enum class Context : uint8_t { kTask, kInterrupt };

struct Span {
  uint64_t first = 0, last = 0;  // times of the trace clock
  void See(uint64_t time) {
    if (first == 0 || time < first) first = time;
    if (time > last) last = time;
  }
};

struct ThreadTrace {
  std::unordered_map<uint64_t, Span> functions[2];  // by Context and address
  std::map<int64_t, Span> calls;                    // by system call number
};

struct Fork {
  uint64_t time = 0;
  int parent = 0, child = 0;
};

struct Exec {
  uint64_t time = 0;
  int pid = 0;
  std::string file;
};

struct Trace {
  std::unordered_map<int, ThreadTrace> threads;  // by thread id in the first pid namespace
  std::vector<Fork> forks;
  std::vector<Exec> execs;
  uint64_t events = 0;
  uint64_t lost = 0;          // events, or pages where the kernel does not say
  int own_pid = 0;            // of the thread that began it, in the first pid namespace
  std::set<int> own_threads;  // and of the one that reads
};

// Where the fields of an event are, as its file `format` says.
struct Field {
  size_t offset = 0, size = 0;
};
// Its file: "ID: 310" and "field:pid_t child_pid; offset:44; size:4; signed:1;".
Result<uint16_t> ParseEventId(std::string_view format);
Result<Field> ParseField(std::string_view format, std::string_view name);

class Tracer {
 public:
  // Makes the instance. kUnsupported with the reason where this host does not let us.
  static Result<std::unique_ptr<Tracer>> Make();
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // Switches tracing on.
  Status Begin();
  // Switches it off and reads the rest.
  Result<Trace> End();
  // A thread of this program, as the first pid namespace has it; after Begin.
  int own_pid() const { return trace_.own_pid; }
  // Why functions are not traced, only events; "" when they are.
  const std::string& no_functions() const { return no_functions_; }

 private:
  struct Event {
    uint16_t id = 0;
    Field field, second;
  };
  Tracer() = default;
  Status Furnish();
  Status LeaveOutOurselves();
  Status ReadFormats();
  Status OpenBuffers();
  Status TraceFunctions();
  void StopReader();
  Result<Event> Enable(const std::string& event, const char* field, const char* second = nullptr);
  Status Write(const std::string& file, std::string_view text) const;
  bool ReadSome();
  void See(const TraceEvent& event);
  void ReadUntilStopped();
  uint64_t Overruns() const;

  std::string folder_, no_functions_;
  Event function_, fork_, exec_, call_, marker_;
  std::vector<Fd> buffers_;
  std::string page_;
  std::thread reader_;
  std::atomic<bool> started_{false}, go_{false}, stop_{false};
  Trace trace_;
  ThreadTrace* last_thread_ = nullptr;  // of the event before: mostly the next one's too
  int last_pid_ = -1;
};

}  // namespace kiste::bench
