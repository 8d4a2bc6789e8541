// SPDX-License-Identifier: Apache-2.0
//
// What runs between _start and main() in the static program, in the place of the C library's own
// __libc_start_main: the same steps in the same order, but for what this program has no use for
// (docs/decisions/0011-start-up.md).
//
// - The processor is not asked for its features and caches. glibc 2.36 does so with up to two
//   hundred CPUID instructions; under a hypervisor each of them leaves the virtual machine. That
//   took 0.55 ms of the 0.62 ms that a static program needs to start and end. It is asked for one
//   purpose, to choose among versions of memcpy(3) and its like: quick_start.ld names the one.
// - Nothing is prepared for dlopen(3), for locales and for threads; the program has none. The
//   functions that would do so bring along a third of the C library.
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
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

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
extern char __libc_single_threaded;

// What the kernel says about the program (getauxval(3)), where the library looks for it.
extern const Elf64_Phdr* _dl_phdr;
extern size_t _dl_phnum;
extern size_t _dl_pagesize;
extern void* _dl_random;  // 16 bytes from the kernel
extern size_t _dl_minsigstacksize;
extern Elf64_auxv_t* _dl_auxv;
// The namespaces of a dynamic loader. The first begins with a pointer to the program's own map,
// which begins with what its addresses have to be moved by.
extern uintptr_t* _dl_ns[];

extern const char __ehdr_start[];

extern Initializer *__preinit_array_start[], *__preinit_array_end[];
extern Initializer *__init_array_start[], *__init_array_end[];
extern Finalizer *__fini_array_start[], *__fini_array_end[];
extern const Elf64_Rela __rela_iplt_start[] __attribute__((weak));
extern const Elf64_Rela __rela_iplt_end[] __attribute__((weak));

void _init(void);
void _fini(void);
void __tunables_init(char**);
void __libc_setup_tls(void);
void __libc_check_standard_fds(void);
int __cxa_atexit(void (*)(void*), void*, void*);

// In the place of __get_nprocs(), which malloc(3) asks to limit the number of its arenas.
int OneProcessor(void);
int OneProcessor(void) { return 1; }
// In the place of sysconf(3), which posix_spawn(3) asks for _SC_OPEN_MAX.
long MostDescriptors(int name);
long MostDescriptors(int name) {
  struct rlimit limit;
  if (name != _SC_OPEN_MAX || getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
  return (long)limit.rlim_cur;
}

#pragma GCC visibility pop

__attribute__((noreturn)) void __libc_start_main(int (*program)(int, char**, char**), int argc,
                                                 char** argv, Initializer* init, Finalizer* fini,
                                                 Finalizer* loader_fini, void* stack_end);

static void ReadAuxiliaryVector(Elf64_auxv_t* vector) {
  _dl_auxv = vector;
  for (const Elf64_auxv_t* each = vector; each->a_type != AT_NULL; ++each) {
    uintptr_t value = each->a_un.a_val;
    if (each->a_type == AT_PHDR) _dl_phdr = (const Elf64_Phdr*)value;
    if (each->a_type == AT_PHNUM) _dl_phnum = value;
    if (each->a_type == AT_PAGESZ) _dl_pagesize = value;
    if (each->a_type == AT_RANDOM) _dl_random = (void*)value;
    if (each->a_type == AT_MINSIGSTKSZ) _dl_minsigstacksize = value;
    if (each->a_type == AT_SECURE) __libc_enable_secure = (int)value;
  }
}

static const Elf64_Phdr* FindHeader(Elf64_Word type) {
  for (const Elf64_Phdr* each = _dl_phdr; each < _dl_phdr + _dl_phnum; ++each) {
    if (each->p_type == type) return each;
  }
  return NULL;
}

// A word that is an address, or the address of a function that has several versions.
static void Relocate(uintptr_t base, const Elf64_Rela* entry, size_t bytes) {
  for (const Elf64_Rela* end = entry + bytes / sizeof *entry; entry < end; ++entry) {
    uintptr_t value = base + (uintptr_t)entry->r_addend;
    if (ELF64_R_TYPE(entry->r_info) == R_X86_64_IRELATIVE) value = ((uintptr_t (*)(void))value)();
    *(uintptr_t*)(base + entry->r_offset) = value;
  }
}

#ifdef __PIE__
// Adds `base` to what the linker has packed (DT_RELR): an even entry is an address, an odd one the
// bits of which of the next 63 words are addresses too.
static void RelocatePacked(uintptr_t base, const Elf64_Xword* entry, size_t bytes) {
  uintptr_t* next = NULL;
  for (const Elf64_Xword* end = entry + bytes / sizeof *entry; entry < end; ++entry) {
    if (*entry % 2 == 0) {
      next = (uintptr_t*)(base + *entry);
      *next++ += base;
      continue;
    }
    for (int bit = 1; bit < 64; ++bit) {
      if (*entry >> bit & 1) next[bit - 1] += base;
    }
    next += 63;
  }
}

// The program's own addresses, for where the kernel has put it.
static void RelocateProgram(void) {
  uintptr_t base = (uintptr_t)__ehdr_start;
  uintptr_t dynamic[DT_RELRENT + 1] = {0};
  const Elf64_Dyn* each = (const Elf64_Dyn*)(base + FindHeader(PT_DYNAMIC)->p_vaddr);
  for (; each->d_tag != DT_NULL; ++each) {
    if (each->d_tag <= DT_RELRENT) dynamic[each->d_tag] = each->d_un.d_val;
  }
  RelocatePacked(base, (const Elf64_Xword*)(base + dynamic[DT_RELR]), dynamic[DT_RELRSZ]);
  Relocate(base, (const Elf64_Rela*)(base + dynamic[DT_RELA]), dynamic[DT_RELASZ]);
  Relocate(base, (const Elf64_Rela*)(base + dynamic[DT_JMPREL]), dynamic[DT_PLTRELSZ]);
  *_dl_ns[0] = base;  // itself an address that had to be moved
}
#else
static void RelocateProgram(void) {
  size_t bytes = (size_t)((const char*)__rela_iplt_end - (const char*)__rela_iplt_start);
  Relocate(0, __rela_iplt_start, bytes);
}
#endif

// What is not to be written to after relocation (-z relro).
static void ProtectRelocated(void) {
  const Elf64_Phdr* header = FindHeader(PT_GNU_RELRO);
  if (header == NULL) return;
  uintptr_t start = *_dl_ns[0] + header->p_vaddr;
  uintptr_t first = start & -_dl_pagesize;
  mprotect((void*)first, ((start + header->p_memsz) & -_dl_pagesize) - first, PROT_READ);
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
  ReadAuxiliaryVector((Elf64_auxv_t*)(environment + 1));
  __tunables_init(__environ);
  RelocateProgram();
  __libc_setup_tls();
  SetGuards();
  __libc_single_threaded = 1;
  ProtectRelocated();
  __cxa_atexit(Finalize, NULL, NULL);
  if (__libc_enable_secure) __libc_check_standard_fds();
  Initialize(argc, argv);
  exit(program(argc, argv, __environ));
}
