# SPDX-License-Identifier: Apache-2.0
# What the folders' CMakeLists.txt call. Links point down the floors or sideways inside one folder; tools/check-includes
# reads these calls and fails when one points up.
#
#   kiste_library(<target> [SOURCES a.cc …] [LINKS kiste_base …] [PRIVATE_LINKS seccomp …]
#                 [TESTS a_test.cc …] [TEST_LINKS …])
#     A static library (an interface one without SOURCES), included as "folder/file.h". TESTS become one GoogleTest
#     program, <target>_test, whose cases ctest knows one by one; TEST_LINKS are for that program only.
#
#   kiste_program(<name> SOURCES main.cc … LINKS kiste_cli …)
#     A program in <build>/bin, static unless KISTE_STATIC=OFF, installed to bin. `--target programs` builds all of them.
#
#   kiste_fuzzer(<name> SOURCES a_fuzz.cc LINKS …)
#     A libFuzzer program in <build>/fuzz; nothing unless KISTE_FUZZ=ON. `--target fuzzers` builds all of them.
include_guard(GLOBAL)
include(GNUInstallDirs)

add_custom_target(programs)
if(KISTE_FUZZ)
  add_custom_target(fuzzers)
endif()

if(BUILD_TESTING)
  enable_testing()
  find_package(GTest QUIET)
  if(NOT GTest_FOUND)
    message(FATAL_ERROR "GoogleTest is missing: apt-get install libgtest-dev, or configure with -DBUILD_TESTING=OFF")
  endif()
  include(GoogleTest)
endif()

# How an executable is linked: programs are static when the build is, tests and fuzzers never.
function(kiste_link_mode target mode)
  if(NOT KISTE_STATIC)
    target_link_options(${target} PRIVATE -pie)
  elseif(KISTE_STATIC_PIE)
    target_link_options(${target} PRIVATE
      $<IF:$<STREQUAL:${mode},program>,-static-pie,-pie>
      # A third of a bit for a relocation instead of 24 bytes.
      $<$<STREQUAL:${mode},program>:-Wl,-z,pack-relative-relocs>)
  else()
    target_link_options(${target} PRIVATE -no-pie $<$<STREQUAL:${mode},program>:-static>)
  endif()
  target_link_options(${target} PRIVATE -Wl,--gc-sections -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now)
endfunction()

function(kiste_library target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS;PRIVATE_LINKS;TESTS;TEST_LINKS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "kiste_library(${target}): unknown argument ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(arg_SOURCES)
    add_library(${target} STATIC ${arg_SOURCES})
    target_link_libraries(${target} PUBLIC ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS} kiste_options kiste_warnings)
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${arg_LINKS} ${arg_PRIVATE_LINKS})
  endif()
  if(arg_TESTS AND BUILD_TESTING)
    kiste_test(${target}_test SOURCES ${arg_TESTS} LINKS ${target} ${arg_TEST_LINKS})
  endif()
endfunction()

# A GoogleTest program in <build>/tests. Its cases are asked for when ctest starts, not while building.
function(kiste_test target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${arg_LINKS} GTest::gtest_main kiste_options kiste_warnings)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  kiste_link_mode(${target} test)
  gtest_discover_tests(${target}
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 30
    NO_PRETTY_VALUES
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

function(kiste_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINKS} kiste_options kiste_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  kiste_link_mode(${name} program)
  add_dependencies(programs ${name})
  install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endfunction()

function(kiste_fuzzer name)
  if(NOT KISTE_FUZZ)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINKS} kiste_options kiste_warnings)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz")
  kiste_link_mode(${name} fuzzer)
  add_dependencies(fuzzers ${name})
endfunction()
