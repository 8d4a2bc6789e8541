// SPDX-License-Identifier: Apache-2.0
//
// What runs between _start and main() in the static program, in the place of the C library's own
// __libc_start_main: the same steps in the same order, but for one. glibc 2.36 asks the processor
// for its features and caches there, with up to two hundred CPUID instructions; under a hypervisor
// each of them leaves the virtual machine. That took 0.55 ms of the 0.62 ms that a static program
// needs to start and end, half of what most commands need at all (docs/performance.md). It is asked
// for one purpose, to choose among versions of memcpy(3) and its like; without an answer the
// library takes those that run on every x86-64.
//
// These are internals of that one version of glibc: cmake/KisteQuickStart.cmake builds this only
// where it is that version, the program static, and the processor x86-64, and tries it out. It
// takes the place of libc.a's libc-start.o as a whole, so it also defines the thresholds that live
// there.
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Nothing here may go through the global offset table before the program is relocated.
#pragma GCC visibility push(hidden)

// Bytes from which memcpy(3) and its like do it another way: what glibc has before it asks.
long __x86_data_cache_size = 32 * 1024;
long __x86_data_cache_size_half = 32 * 1024 / 2;
long __x86_shared_cache_size = 1024 * 1024;
long __x86_shared_cache_size_half = 1024 * 1024 / 2;
long __x86_shared_non_temporal_threshold = 1024 * 1024 * 3 / 4;
long __x86_rep_movsb_threshold = 2048;
long __x86_rep_movsb_stop_threshold = 1024 * 1024 * 3 / 4;
long __x86_rep_stosb_threshold = 2048;
int __x86_string_control = 0;

typedef void Initializer(int, char**, char**);
typedef void Finalizer(void);

extern char** __environ;
extern void* __libc_stack_end;
extern int __libc_enable_secure;
extern void* _dl_random;  // 16 bytes from the kernel (AT_RANDOM)

extern Initializer *__preinit_array_start[], *__preinit_array_end[];
extern Initializer *__init_array_start[], *__init_array_end[];
extern Finalizer *__fini_array_start[], *__fini_array_end[];
extern const Elf64_Rela __rela_iplt_start[] __attribute__((weak));
extern const Elf64_Rela __rela_iplt_end[] __attribute__((weak));

void _init(void);
void _fini(void);
void _dl_aux_init(Elf64_auxv_t*);
void __tunables_init(char**);
void _dl_relocate_static_pie(void);
void __libc_setup_tls(void);
void __libc_early_init(_Bool);
void __libc_init_first(int, char**, char**);
void __libc_check_standard_fds(void);
int __cxa_atexit(void (*)(void*), void*, void*);

#pragma GCC visibility pop

__attribute__((noreturn)) void __libc_start_main(int (*program)(int, char**, char**), int argc,
                                                 char** argv, Initializer* init, Finalizer* fini,
                                                 Finalizer* loader_fini, void* stack_end);

// Chooses the functions that have several versions (in a program that is not position-independent;
// otherwise it is done where the program relocates itself).
static void ChooseFunctions(void) {
  for (const Elf64_Rela* entry = __rela_iplt_start; entry < __rela_iplt_end; ++entry) {
    uintptr_t (*choose)(void) = (uintptr_t (*)(void))entry->r_addend;
    *(uintptr_t*)entry->r_offset = choose();
  }
}

// The stack protector's canary, whose first byte is 0, and what saved code pointers are mixed with:
// where the x86-64 ABI and glibc keep them.
static void SetGuards(void) {
  const uintptr_t* random = _dl_random;
  uintptr_t canary = random[0] & ~(uintptr_t)0xff, pointer_guard = random[1];
  __asm__ volatile("movq %0, %%fs:0x28" : : "r"(canary));
  __asm__ volatile("movq %0, %%fs:0x30" : : "r"(pointer_guard));
}

static void Initialize(int argc, char** argv) {
  for (Initializer** each = __preinit_array_start; each < __preinit_array_end; ++each)
    (*each)(argc, argv, __environ);
  _init();
  for (Initializer** each = __init_array_start; each < __init_array_end; ++each)
    (*each)(argc, argv, __environ);
}

static void Finalize(void* unused) {
  (void)unused;
  for (Finalizer** each = __fini_array_end; each > __fini_array_start;) (*--each)();
  _fini();
}

void __libc_start_main(int (*program)(int, char**, char**), int argc, char** argv,
                       Initializer* init, Finalizer* fini, Finalizer* loader_fini,
                       void* stack_end) {
  (void)init;
  (void)fini;
  (void)loader_fini;  // of a dynamic loader: there is none
  char** environment = argv + argc + 1;
  __environ = environment;
  __libc_stack_end = stack_end;
  while (*environment != NULL) ++environment;
  _dl_aux_init((Elf64_auxv_t*)(environment + 1));
  __tunables_init(__environ);
  _dl_relocate_static_pie();
  ChooseFunctions();
  __libc_setup_tls();
  SetGuards();
  __libc_early_init(1);
  __libc_init_first(argc, argv, __environ);
  __cxa_atexit(Finalize, NULL, NULL);
  if (__libc_enable_secure) __libc_check_standard_fds();
  Initialize(argc, argv);
  exit(program(argc, argv, __environ));
}
