// SPDX-License-Identifier: Apache-2.0
//
// What the files of `load pry` share: probes that try from inside a sandbox to see or to touch what
// is not theirs. A probe is a row of a table: a name and a function that answers with one of four
// verdicts, by evidence. Each runs in a process of its own with a time limit; so a probe may drop
// privileges, enter namespaces, change its root or crash, and nothing of that stays.
//
// No probe may harm: they also run as root on the host without any sandbox. A call whose success
// would change something is made with arguments that cannot succeed past the permission check; a
// value is written only where it is the one that is there already; what is created is removed.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum Verdict {
  kClosed,   // refused, not there, or shows only what is the sandbox's own
  kSees,     // learns of something outside
  kTouches,  // could change, signal or use something outside
  kUnknown,  // cannot be told here
};

struct Probe {
  const char* name;  // group/what
  enum Verdict (*ask)(const struct Probe* probe);
  const char* path;    // what `ask` is to look at, where one function serves many probes
  enum Verdict finds;  // what it means when it is reached
  unsigned number, second;
};

struct Group {
  const char* name;
  const struct Probe* probes;
  size_t count;
};

#define PRY_GROUP(group, table) {group, table, sizeof(table) / sizeof((table)[0])}

extern const struct Group kProcessGroup, kMemoryGroup, kFilesGroup, kMountsGroup, kDevicesGroup,
    kKernelGroup, kSysctlGroup, kNetworkGroup, kTimeGroup, kCgroupsGroup, kIdentityGroup,
    kRuntimeGroup, kHardwareGroup;

// The answers; the words are for people.
enum Verdict Closed(const char* format, ...) __attribute__((format(printf, 1, 2)));
enum Verdict Sees(const char* format, ...) __attribute__((format(printf, 1, 2)));
enum Verdict Touches(const char* format, ...) __attribute__((format(printf, 1, 2)));
enum Verdict Unknown(const char* format, ...) __attribute__((format(printf, 1, 2)));
// `verdict` when the kernel is the host's; kClosed when the sandbox brings a kernel of its own:
// then it is that kernel's file, device or permission and nothing of the host's.
enum Verdict Reached(enum Verdict verdict, const char* format, ...)
    __attribute__((format(printf, 2, 3)));
// A call failed: kClosed when the error says "you may not" or "there is none", else kUnknown.
enum Verdict Failed(const char* what, int error);
const char* Words(void);  // of the last answer

// Markers: what was planted outside (`--marker NAME=VALUE`). Null when there is none of this name.
int AddMarker(const char* word);
const char* Marker(const char* name);
long MarkerNumber(const char* name);  // 0 when there is none
// The secret word that every planted thing carries; never null, "" when nothing was planted.
const char* Token(void);
int HasToken(const void* bytes, size_t size);

// Whether the kernel is the one that the markers were planted on.
int KernelIsHosts(void);
// 1 when this process is in the host's namespace of that kind ("pid", "net"); 0 when it is not, -1
// when that cannot be told.
int InHostNamespace(const char* kind);

// At most `size` bytes of a file, ended by a 0; -1 with errno.
ssize_t ReadFile(const char* path, char* bytes, size_t size);
ssize_t ReadFileAt(int directory, const char* path, char* bytes, size_t size);
// The file begins to be readable and says something: how most files of /proc and /sys are asked.
enum Verdict AskReadable(const struct Probe* probe);
// A file can be opened for writing; nothing is written.
enum Verdict AskWritable(const struct Probe* probe);
// A character device `number`:`second` can be opened, under `path` or under a name made for it.
enum Verdict AskDevice(const struct Probe* probe);
// The file of a marker: whether it holds the token. `name` is for the words.
enum Verdict AskForToken(int directory, const char* path);
// A name in a folder where files can be made (a different one with each process); null if none.
const char* ScratchName(void);
// Opens the device at `path` or, where that is not it, under a name made for it and removed again;
// major 0 takes the number from the node. -1 with errno: ENODEV when the kernel has no driver for
// it, ENODATA when that cannot be told (it is not tried then).
int OpenDevice(const char* path, mode_t type, dev_t device);
