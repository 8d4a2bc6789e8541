# SPDX-License-Identifier: Apache-2.0
# Clang 19 refuses Debian 12's RapidJSON 1.1.0: GenericStringRef's copy assignment, which nobody calls, assigns to a const
# member (fixed upstream in 2016, never released). For clang only, the headers are copied to the build directory with that
# operator deleted. GCC reads the system's headers as they are.
function(kiste_rapidjson_for_clang target)
  find_path(KISTE_RAPIDJSON_DIR rapidjson/document.h)
  if(NOT KISTE_RAPIDJSON_DIR)
    return()
  endif()
  set(overlay "${PROJECT_BINARY_DIR}/rapidjson-for-clang")
  set(document "${overlay}/rapidjson/document.h")
  if(NOT EXISTS "${document}")
    file(COPY "${KISTE_RAPIDJSON_DIR}/rapidjson" DESTINATION "${overlay}" PATTERN document.h EXCLUDE)
    file(READ "${KISTE_RAPIDJSON_DIR}/rapidjson/document.h" text)
    string(REPLACE
      "GenericStringRef& operator=(const GenericStringRef& rhs) { s = rhs.s; length = rhs.length; }"
      "GenericStringRef& operator=(const GenericStringRef& rhs) = delete;" text "${text}")
    file(WRITE "${document}" "${text}")
  endif()
  target_include_directories(${target} SYSTEM INTERFACE "${overlay}")
endfunction()
