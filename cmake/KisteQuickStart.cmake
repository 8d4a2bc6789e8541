# SPDX-License-Identifier: Apache-2.0
# Whether src/cli/quick_start.c can take the place of the C library's start-up code (it says why it should): only with the one
# version of glibc that it was written for, on x86-64, in a static program; and only if a program with it really starts and
# ends. Sets KISTE_QUICK_START_WORKS.
option(KISTE_QUICK_START "Start static programs without asking the processor for its features" ON)
set(KISTE_QUICK_START_WORKS OFF)
set(KISTE_QUICK_START_NAMES "${PROJECT_SOURCE_DIR}/src/cli/quick_start.ld")
# What nothing refers to is left out, and so are the lists of what the C library would do at exit, and what unwinding needs.
set(KISTE_QUICK_START_LINK "${KISTE_QUICK_START_NAMES}" -Wl,--gc-sections,-z,start-stop-gc,--no-eh-frame-hdr)
set(KISTE_QUICK_START_FLAGS -O2 -ffreestanding -fno-stack-protector -fno-tree-loop-distribute-patterns)

function(kiste_try_quick_start result)
  set(${result} OFF PARENT_SCOPE)
  set(directory "${PROJECT_BINARY_DIR}/quick-start")
  file(WRITE "${directory}/main.c" "
#include <features.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if !defined __x86_64__ || !defined __GLIBC__ || __GLIBC__ != 2 || __GLIBC_MINOR__ != 36
#error another C library
#endif
int main(int argc, char** argv) {
  char* from = malloc(4 << 20);
  char* to = malloc(4 << 20);
  memset(from, argc, 4 << 20);
  memcpy(to, from, 4 << 20);
  return write(1, argv[0], strlen(argv[0])) < 0 || to[(4 << 20) - 1] != argc || getenv(\"PATH\") == NULL;
}
")
  if(KISTE_STATIC_PIE)
    set(mode -static-pie)
    set(code -fPIE)
  else()
    set(mode -static)
    set(code -fno-pie)
  endif()
  try_compile(built "${directory}/build"
    SOURCES "${directory}/main.c" "${PROJECT_SOURCE_DIR}/src/cli/quick_start.c"
    COMPILE_DEFINITIONS ${code} ${KISTE_QUICK_START_FLAGS} -D_GNU_SOURCE
    LINK_OPTIONS ${mode} ${KISTE_QUICK_START_LINK}
    COPY_FILE "${directory}/tried")
  if(NOT built)
    return()
  endif()
  execute_process(COMMAND "${directory}/tried" RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
  if(code STREQUAL "0")
    set(${result} ON PARENT_SCOPE)
  endif()
endfunction()

if(KISTE_STATIC AND KISTE_QUICK_START)
  kiste_try_quick_start(KISTE_QUICK_START_WORKS)
  message(STATUS "Quick start of static programs: ${KISTE_QUICK_START_WORKS}")
endif()
