// SPDX-License-Identifier: Apache-2.0
// The smallest payload: it exits at once and touches two or three pages. runtime-bench puts it into
// the container when it counts what a runtime costs, so that nothing counted is the payload's.
#include <sys/syscall.h>

// NOLINTNEXTLINE(bugprone-reserved-identifier): the linker's name for where a program begins
__attribute__((noreturn)) void _start(void);

void _start(void) {
#if defined(__x86_64__)
  __asm__ volatile("syscall" ::"a"(SYS_exit_group), "D"(0) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
  register long number __asm__("x8") = SYS_exit_group;
  register long status __asm__("x0") = 0;
  __asm__ volatile("svc 0" ::"r"(number), "r"(status) : "memory");
#else
#error "write the exit_group system call for this architecture"
#endif
  __builtin_unreachable();
}
