// SPDX-License-Identifier: Apache-2.0
//
// The form of a cached seccomp program: what it is looked up by, and the bytes of its file. Used
// by cache.cc, and by the fuzzer, which is why it knows no descriptors.
//
// A file is a header of fixed size, the key, the ignored names, the instructions; sizes must add
// up, and a checksum covers all of it, because files are not synced and a crash may tear them. The
// file's name is a hash of the key, and the whole key is compared: a collision costs a compilation.
// Numbers are in the machine's byte order, for the cache never leaves the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sys/seccomp/seccomp.h"

namespace kiste::sys {

// Everything that decides the program: the whole profile but for its listener, kiste's generator
// and libseccomp's library (by a hash of both, which the build computes) and the form of the file.
// Strings carry their length, so that no two profiles have one key.
std::string SeccompKey(const SeccompProfile& profile);

// 64 bits over `bytes`; equal on every machine of one byte order.
uint64_t SeccompHash(std::string_view bytes);

// The bytes to store for `program` under `key`.
std::string FormatCacheFile(const SeccompProgram& program, std::string_view key);
// The program in `bytes`, or nothing when they are not whole and undamaged or hold another key.
std::optional<SeccompProgram> ParseCacheFile(std::string_view bytes, std::string_view key);
// An upper bound on the size of a file for `key`.
size_t MaxCacheFileBytes(std::string_view key);
// Makes the checksum in `bytes` fit: for tests and the fuzzer, which look behind it.
void SealCacheFile(std::string& bytes);

}  // namespace kiste::sys
