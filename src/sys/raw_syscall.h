// SPDX-License-Identifier: Apache-2.0
//
// System calls without the C library: each returns what the kernel returns, a value or -errno. For
// code that has no C library (the launcher) or whose errno belongs to somebody else (a child that
// borrows its parent's memory, clone.cc).
#pragma once

#include <asm/unistd.h>
#include <linux/types.h>

namespace kiste::sys {

#if defined(__x86_64__)

inline long RawSyscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                       long f = 0) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

#elif defined(__aarch64__)

inline long RawSyscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                       long f = 0) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
}

#else
#error "kiste knows x86_64 and aarch64"
#endif

inline long Argument(decltype(nullptr)) { return 0; }
template <typename T>
long Argument(T* pointer) {
  return reinterpret_cast<long>(pointer);
}
template <typename T>
  requires(!__is_class(T))
long Argument(T value) {
  return static_cast<long>(value);
}

// Call<__NR_x>(…) with pointers and numbers as they are.
template <long kNumber, typename... Arguments>
long Call(Arguments... arguments) {
  return RawSyscall(kNumber, Argument(arguments)...);
}

}  // namespace kiste::sys
