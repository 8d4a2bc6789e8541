# SPDX-License-Identifier: Apache-2.0
# The build's options, and the two interface targets that carry them:
#   kiste_warnings  what every object is compiled with, the freestanding launcher included: warnings, and src/ as the place
#                   where "folder/file.h" is looked for (-iquote: <sys/mount.h> must stay the system's, not src/sys/mount.h)
#   kiste_options   the rest: hardening, sanitizers, coverage; not for freestanding code, which has no C library
option(KISTE_WERROR "Warnings are errors (on in the presets)" OFF)
option(KISTE_STATIC "Link the programs statically: nothing to load at start-up" ON)
# Address randomisation for programs that run as root and read foreign files. Measured with a small C++ program: 785 µs from
# spawn to exit against 771 µs for a non-PIE static program and 1,473 µs for a dynamic one.
option(KISTE_STATIC_PIE "Static programs are position-independent (static-pie)" ON)
option(KISTE_COVERAGE "Count executed lines with gcov" OFF)
option(KISTE_FUZZ "Build the libFuzzer targets (clang only)" OFF)
set(KISTE_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize=…; needs KISTE_STATIC=OFF")
option(BUILD_TESTING "Build the tests" ON)

if(KISTE_SANITIZE AND KISTE_STATIC)
  message(FATAL_ERROR "KISTE_SANITIZE=${KISTE_SANITIZE} needs KISTE_STATIC=OFF")
endif()
if(KISTE_FUZZ AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "KISTE_FUZZ needs clang: use the fuzz preset")
endif()

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo, MinSizeRel or None" FORCE)
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 17)
# No NDEBUG anywhere: an assertion that holds costs nothing that can be measured here.
# Small code is fast code here: a command runs for a millisecond, and most of what it executes it executes once.
foreach(lang C CXX)
  set(CMAKE_${lang}_FLAGS_DEBUG "-Og -g")
  set(CMAKE_${lang}_FLAGS_RELEASE "-Os")
  set(CMAKE_${lang}_FLAGS_RELWITHDEBINFO "-O2 -g")
endforeach()

find_package(Threads REQUIRED)

add_library(kiste_warnings INTERFACE)
target_compile_options(kiste_warnings INTERFACE "SHELL:-iquote ${PROJECT_SOURCE_DIR}/src")
target_compile_options(kiste_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wcast-qual -Wcast-align -Wformat=2 -Wundef
  -Wvla -Wmissing-declarations -Wimplicit-fallthrough
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Wextra-semi
    -Wzero-as-null-pointer-constant>
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wduplicated-branches -Wlogical-op>
  # std::array's inner braces are left out, as they are everywhere.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-missing-braces>
  # A designated initialiser that leaves the rest to its default is how structs are filled here.
  -Wno-missing-field-initializers
  $<$<BOOL:${KISTE_WERROR}>:-Werror>)

add_library(kiste_options INTERFACE)
target_link_libraries(kiste_options INTERFACE Threads::Threads)
target_compile_definitions(kiste_options INTERFACE _GNU_SOURCE _GLIBCXX_ASSERTIONS)
target_compile_options(kiste_options INTERFACE
  -ffunction-sections -fdata-sections -fstack-protector-strong -fno-strict-aliasing
  # Errors are values: nothing throws or catches, so nothing needs to know how to unwind.
  $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-asynchronous-unwind-tables>)
if(NOT KISTE_SANITIZE)
  target_compile_options(kiste_options INTERFACE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
else()
  target_compile_options(kiste_options INTERFACE
    -fsanitize=${KISTE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(kiste_options INTERFACE -fsanitize=${KISTE_SANITIZE})
endif()
if(KISTE_FUZZ)
  target_compile_options(kiste_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(kiste_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(KISTE_COVERAGE)
  target_compile_options(kiste_options INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(kiste_options INTERFACE --coverage)
endif()
# One code model for libraries, programs and tests: all of them end in the same kind of executable.
if(KISTE_STATIC AND NOT KISTE_STATIC_PIE)
  target_compile_options(kiste_options INTERFACE -fno-pie)
else()
  target_compile_options(kiste_options INTERFACE -fPIE)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  include(KisteRapidjson)
  kiste_rapidjson_for_clang(kiste_options)
endif()
