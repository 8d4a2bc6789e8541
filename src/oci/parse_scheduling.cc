// SPDX-License-Identifier: Apache-2.0
//
// The members of config.md, "Linux Process", that are about the scheduler, the I/O scheduler and
// the OOM killer.
#include <linux/sched.h>

#include <limits>

#include "base/strings.h"
#include "oci/fields.h"
#include "oci/readers.h"

namespace kiste::oci {

using json::Value;

namespace {

constexpr uint32_t kSchedIso = 4;  // reserved by the kernel, never in its headers

constexpr NameTable<uint32_t, 7> kPolicies = {{
    {"SCHED_OTHER", SCHED_NORMAL},
    {"SCHED_FIFO", SCHED_FIFO},
    {"SCHED_RR", SCHED_RR},
    {"SCHED_BATCH", SCHED_BATCH},
    {"SCHED_ISO", kSchedIso},
    {"SCHED_IDLE", SCHED_IDLE},
    {"SCHED_DEADLINE", SCHED_DEADLINE},
}};

constexpr NameTable<uint64_t, 7> kSchedulerFlags = {{
    {"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
    {"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
    {"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
    {"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
    {"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
    {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
}};

// ioprio_set(2); linux/ioprio.h cannot be read by a C++ compiler.
constexpr NameTable<int, 3> kIoClasses = {{
    {"IOPRIO_CLASS_RT", 1},
    {"IOPRIO_CLASS_BE", 2},
    {"IOPRIO_CLASS_IDLE", 3},
}};

// What sched_setattr(2) would refuse with a bare EINVAL.
Status CheckScheduler(const Scheduler& scheduler, const Value& value) {
  constexpr uint32_t kHighestPriority = 99;
  const std::string_view policy = NameOf(kPolicies, scheduler.policy);
  const bool is_realtime = scheduler.policy == SCHED_FIFO || scheduler.policy == SCHED_RR;
  if (is_realtime && (scheduler.priority < 1 || scheduler.priority > kHighestPriority)) {
    return value["priority"].Wrong(
        StrCat(policy, " needs one from 1 to 99, found ", scheduler.priority));
  }
  if (!is_realtime && scheduler.priority != 0) {
    return value["priority"].Wrong(
        StrCat("only SCHED_FIFO and SCHED_RR have one, the policy is ", policy));
  }
  if (scheduler.policy != SCHED_DEADLINE &&
      (scheduler.runtime != 0 || scheduler.deadline != 0 || scheduler.period != 0)) {
    return value.Wrong(
        StrCat("runtime, deadline and period are for SCHED_DEADLINE, the policy is ", policy));
  }
  return {};
}

Result<uint64_t> ReadSchedulerFlag(const Value& value) { return Named(value, kSchedulerFlags); }

Result<Scheduler> ReadScheduler(const Value& value) {
  TRY(value.ExpectObject());
  Scheduler scheduler;
  scheduler.policy = TRY(Named(value["policy"], kPolicies));
  if (Value nice = value["nice"]) {
    scheduler.nice = static_cast<int32_t>(TRY(IntBetween(nice, -20, 19)));
  }
  if (Value priority = value["priority"]) {
    scheduler.priority =
        static_cast<uint32_t>(TRY(IntBetween(priority, 0, std::numeric_limits<int32_t>::max())));
  }
  for (uint64_t flag : TRY(ListOf(value["flags"], ReadSchedulerFlag))) scheduler.flags |= flag;
  scheduler.runtime = TRY(OptionalUint(value["runtime"])).value_or(0);
  scheduler.deadline = TRY(OptionalUint(value["deadline"])).value_or(0);
  scheduler.period = TRY(OptionalUint(value["period"])).value_or(0);
  TRY(CheckScheduler(scheduler, value));
  return scheduler;
}

Result<IoPriority> ReadIoPriority(const Value& value) {
  constexpr int64_t kLowestPriority = 7;
  TRY(value.ExpectObject());
  IoPriority priority;
  priority.io_class = TRY(Named(value["class"], kIoClasses));
  if (Value level = value["priority"]) {
    priority.priority = static_cast<int>(TRY(IntBetween(level, 0, kLowestPriority)));
  }
  return priority;
}

Result<ExecCpuAffinity> ReadAffinity(const Value& value) {
  TRY(value.ExpectObject());
  ExecCpuAffinity affinity;
  affinity.initial = TRY(NumberList(value["initial"]));
  affinity.final = TRY(NumberList(value["final"]));
  return affinity;
}

}  // namespace

Status ReadScheduling(const Value& value, Process& process) {
  constexpr int64_t kOomScoreAdjMin = -1000, kOomScoreAdjMax = 1000;
  if (Value score = value["oomScoreAdj"]) {
    process.oom_score_adj =
        static_cast<int>(TRY(IntBetween(score, kOomScoreAdjMin, kOomScoreAdjMax)));
  }
  if (Value scheduler = value["scheduler"]) process.scheduler = TRY(ReadScheduler(scheduler));
  if (Value priority = value["ioPriority"]) process.io_priority = TRY(ReadIoPriority(priority));
  if (Value cpus = value["execCPUAffinity"]) process.exec_cpu_affinity = TRY(ReadAffinity(cpus));
  return {};
}

}  // namespace kiste::oci
