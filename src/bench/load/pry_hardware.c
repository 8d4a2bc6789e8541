// SPDX-License-Identifier: Apache-2.0
//
// The machine itself: what it is, its serial numbers, and sensors whose values follow what others
// do.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "pry.h"

// The instruction cannot be refused by a kernel; only a hypervisor answers for the processor.
static enum Verdict Processor(const struct Probe* probe) {
  (void)probe;
  const char* expected = Marker("processor");
  if (expected == NULL) return Unknown("the host's processor was not told");
#if defined(__x86_64__)
  unsigned words[13] = {0};
  for (unsigned i = 0; i < 3; i++) {
    unsigned* at = words + (size_t)4 * i;
    if (!__get_cpuid(0x80000002U + i, at, at + 1, at + 2, at + 3)) return Closed("no name is told");
  }
  char name[52];
  memcpy(name, words, sizeof(name));
  if (strcmp(name, expected) == 0) return Sees("the host's processor: %s", name);
  return Closed("a processor of another name: %s", name);
#else
  return Unknown("not asked for on this machine");
#endif
}

static enum Verdict ProcessorInProc(const struct Probe* probe) {
  (void)probe;
  static char bytes[16384];
  const char* expected = Marker("processor");
  if (expected == NULL || expected[0] == '\0') return Unknown("the host's processor was not told");
  if (ReadFile("/proc/cpuinfo", bytes, sizeof(bytes)) < 0) return Failed("/proc/cpuinfo", errno);
  return strstr(bytes, expected) != NULL ? Sees("/proc/cpuinfo names the host's processor")
                                         : Closed("/proc/cpuinfo names another processor");
}

static enum Verdict Microcode(const struct Probe* probe) {
  (void)probe;
  static char bytes[16384];
  if (ReadFile("/proc/cpuinfo", bytes, sizeof(bytes)) < 0) return Failed("/proc/cpuinfo", errno);
  const char* line = strstr(bytes, "microcode");
  if (line == NULL) return Closed("/proc/cpuinfo has no microcode");
  return Reached(kSees, "/proc/cpuinfo tells the microcode");
}

static enum Verdict Count(const struct Probe* probe) {
  (void)probe;
  cpu_set_t set;
  if (Marker("processors") == NULL) return Unknown("the host's number of processors was not told");
  if (!KernelIsHosts()) return Closed("the processors of its own kernel");
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return Failed("sched_getaffinity", errno);
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  if (online == MarkerNumber("processors"))
    return Sees("that the host has %ld processors (it may use %d)", online, CPU_COUNT(&set));
  return Closed("%ld processors, the host has others", online);
}

#if defined(__x86_64__)
static sigjmp_buf g_back;
static void Return(int signal_number) { siglongjmp(g_back, signal_number); }
#endif

// Reads a performance counter; a fault when the kernel does not let everybody.
static enum Verdict Counter(const struct Probe* probe) {
  (void)probe;
#if defined(__x86_64__)
  signal(SIGSEGV, Return);
  signal(SIGILL, Return);
  if (sigsetjmp(g_back, 1) != 0) return Closed("rdpmc faults");
  unsigned low, high;
  __asm__ volatile("rdpmc" : "=a"(low), "=d"(high) : "c"(0));
  return Sees("rdpmc reads a counter of the processor");
#else
  return Closed("this machine has no rdpmc");
#endif
}

static const struct Probe kProbes[] = {
    {"hardware/processor", Processor},
    {"hardware/processor-in-proc", ProcessorInProc},
    {"hardware/processor-count", Count},
    {"hardware/microcode", Microcode},
    {"hardware/rdpmc", Counter},
    {"hardware/processors-online", AskReadable, "/sys/devices/system/cpu/online", kSees},
    {"hardware/siblings", AskReadable, "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list",
     kSees},
    {"hardware/caches", AskReadable, "/sys/devices/system/cpu/cpu0/cache/index0/size", kSees},
    {"hardware/vulnerabilities", AskReadable, "/sys/devices/system/cpu/vulnerabilities/meltdown",
     kSees},
    {"hardware/frequency", AskReadable, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
     kSees},
    {"hardware/processor-off", AskWritable, "/sys/devices/system/cpu/cpu1/online", kTouches},
    {"hardware/nodes", AskReadable, "/sys/devices/system/node/node0/meminfo", kSees},
    {"hardware/product", AskReadable, "/sys/class/dmi/id/product_name", kSees},
    {"hardware/serial", AskReadable, "/sys/class/dmi/id/product_serial", kSees},
    {"hardware/uuid", AskReadable, "/sys/class/dmi/id/product_uuid", kSees},
    {"hardware/acpi-tables", AskReadable, "/sys/firmware/acpi/tables/DSDT", kSees},
    {"hardware/firmware-memory", AskReadable, "/sys/firmware/memmap/0/start", kSees},
    {"hardware/temperature", AskReadable, "/sys/class/thermal/thermal_zone0/temp", kSees},
    {"hardware/energy", AskReadable, "/sys/class/powercap/intel-rapl:0/energy_uj", kSees},
    {"hardware/pci", AskReadable, "/proc/bus/pci/devices", kSees},
    {"hardware/disk", AskReadable, "/sys/class/block/vda/size", kSees},
    {"hardware/disk-scsi", AskReadable, "/sys/class/block/sda/size", kSees},
    {"hardware/disk-nvme", AskReadable, "/sys/class/block/nvme0n1/size", kSees},
    {"hardware/console", AskReadable, "/proc/consoles", kSees},
    {"hardware/interrupt-affinity", AskWritable, "/proc/irq/default_smp_affinity", kTouches},
    {"hardware/mtrr", AskReadable, "/proc/mtrr", kSees},
};
const struct Group kHardwareGroup = PRY_GROUP("hardware", kProbes);
