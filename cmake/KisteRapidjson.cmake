# SPDX-License-Identifier: Apache-2.0
# Two lines of Debian 12's RapidJSON 1.1.0 do not suit clang 19 (both were mended upstream in 2016 and never released), so
# clang gets a copy of the headers in the build directory with these lines replaced; GCC reads the system's as they are.
#   document.h  GenericStringRef's copy assignment, which nobody calls, assigns to a const member: an error
#   stack.h     an empty stack adds to a null pointer: UndefinedBehaviorSanitizer stops there
function(kiste_rapidjson_replace file from to)
  file(READ "${file}" text)
  string(REPLACE "${from}" "${to}" replaced "${text}")
  if(replaced STREQUAL text)
    message(STATUS "RapidJSON's ${file} has not the line that clang needs replaced: taken as it is")
  else()
    file(WRITE "${file}" "${replaced}")
  endif()
endfunction()

function(kiste_rapidjson_for_clang target)
  find_path(KISTE_RAPIDJSON_DIR rapidjson/document.h)
  if(NOT KISTE_RAPIDJSON_DIR)
    return()
  endif()
  set(overlay "${PROJECT_BINARY_DIR}/rapidjson-for-clang")
  if(NOT EXISTS "${overlay}/complete")
    file(COPY "${KISTE_RAPIDJSON_DIR}/rapidjson" DESTINATION "${overlay}")
    kiste_rapidjson_replace("${overlay}/rapidjson/document.h"
      "GenericStringRef& operator=(const GenericStringRef& rhs) { s = rhs.s; length = rhs.length; }"
      "GenericStringRef& operator=(const GenericStringRef& rhs) = delete;")
    kiste_rapidjson_replace("${overlay}/rapidjson/internal/stack.h"
      "stackTop_ + sizeof(T) * count > stackEnd_"
      "sizeof(T) * count > static_cast<size_t>(stackEnd_ - stackTop_)")
    file(TOUCH "${overlay}/complete")
  endif()
  target_include_directories(${target} SYSTEM INTERFACE "${overlay}")
endfunction()
