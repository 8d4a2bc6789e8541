# SPDX-License-Identifier: Apache-2.0
# Checks of the tree itself and of the launcher's binary, run by ctest beside the unit tests.
find_program(KISTE_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(NOT KISTE_PYTHON)
  message(STATUS "no /usr/bin/python3: the checks of the tree are left out")
  return()
endif()

add_test(NAME check.includes
  COMMAND "${KISTE_PYTHON}" "${PROJECT_SOURCE_DIR}/tools/check-includes" "${PROJECT_SOURCE_DIR}")
set_tests_properties(check.includes PROPERTIES LABELS check)

add_test(NAME check.vm-harness
  COMMAND "${KISTE_PYTHON}" -m unittest discover -s "${PROJECT_SOURCE_DIR}/tests/vm" -p "*_test.py")
set_tests_properties(check.vm-harness PROPERTIES LABELS check)

foreach(program kiste-oci kiste-bench)
  if(TARGET ${program})
    add_test(NAME check.man-page.${program}
      COMMAND "${KISTE_PYTHON}" "${PROJECT_SOURCE_DIR}/tools/man-page" "$<TARGET_FILE:${program}>")
    set_tests_properties(check.man-page.${program} PROPERTIES LABELS check)
  endif()
endforeach()

if(TARGET kiste-launcher)
  add_test(NAME check.launcher-symbols
    COMMAND "${KISTE_PYTHON}" "${PROJECT_SOURCE_DIR}/tools/check-launcher-symbols" "$<TARGET_FILE:kiste-launcher>")
  set_tests_properties(check.launcher-symbols PROPERTIES LABELS check)
endif()

if(TARGET kiste-oci AND KISTE_QUICK_START_WORKS)
  add_test(NAME check.start-symbols
    COMMAND "${KISTE_PYTHON}" "${PROJECT_SOURCE_DIR}/tools/check-start-symbols" "$<TARGET_FILE:kiste-oci>")
  set_tests_properties(check.start-symbols PROPERTIES LABELS check)
endif()

# Of what is shipped: without optimisation a program is larger.
if(TARGET kiste-oci AND KISTE_STATIC AND CMAKE_BUILD_TYPE STREQUAL "Release")
  add_test(NAME check.size
    COMMAND "${KISTE_PYTHON}" "${PROJECT_SOURCE_DIR}/tools/check-size" "$<TARGET_FILE:kiste-oci>" 1500000)
  set_tests_properties(check.size PROPERTIES LABELS check)
endif()
