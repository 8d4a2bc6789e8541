// SPDX-License-Identifier: Apache-2.0
//
// What the C++ library calls where it throws, and both libraries where an assertion fails. Nothing
// in kiste-oci catches: the program says what it was and aborts, as it would without this file; but
// without it a twentieth of the program were what unwinds stacks, prints and translates.
#include <cxxabi.h>
#include <unistd.h>

#include <cassert>
#include <cstdlib>
#include <functional>
#include <new>
#include <string_view>

namespace {

[[noreturn]] void Abort(std::string_view what, std::string_view where = {}) {
  for (auto piece : {std::string_view("kiste-oci: "), what, std::string_view(" "), where,
                     std::string_view("\n")}) {
    if (write(STDERR_FILENO, piece.data(), piece.size()) < 0) break;
  }
  std::abort();
}

}  // namespace

extern "C" void __assert_fail(const char* assertion, const char* /*file*/, unsigned /*line*/,
                              const char* function) noexcept {
  Abort(assertion, function);
}

// All of the library's functexcept.o: with one missing, that object would come with the others.
namespace std {

void __glibcxx_assert_fail(const char* /*file*/, int /*line*/, const char* function,
                           const char* condition) noexcept {
  Abort(condition, function);
}

void __throw_bad_alloc() { Abort("out of memory"); }
void __throw_bad_array_new_length() { Abort("out of memory"); }
void __throw_bad_cast() { Abort("bad cast"); }
void __throw_bad_exception() { Abort("bad exception"); }
void __throw_bad_function_call() { Abort("call of an empty function"); }
void __throw_bad_typeid() { Abort("bad typeid"); }
void __throw_domain_error(const char* what) { Abort(what); }
void __throw_invalid_argument(const char* what) { Abort(what); }
void __throw_length_error(const char* what) { Abort(what); }
void __throw_logic_error(const char* what) { Abort(what); }
void __throw_out_of_range(const char* what) { Abort(what); }
void __throw_out_of_range_fmt(const char* what, ...) { Abort(what); }
void __throw_overflow_error(const char* what) { Abort(what); }
void __throw_range_error(const char* what) { Abort(what); }
void __throw_runtime_error(const char* what) { Abort(what); }
void __throw_underflow_error(const char* what) { Abort(what); }

}  // namespace std

void* operator new(size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) std::__throw_bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*size*/) noexcept { std::free(memory); }

// One thread: a variable inside a function is initialised by whoever comes first.
namespace __cxxabiv1 {
extern "C" int __cxa_guard_acquire(__guard* done) { return *reinterpret_cast<char*>(done) == 0; }
extern "C" void __cxa_guard_abort(__guard* /*done*/) noexcept {}
extern "C" void __cxa_guard_release(__guard* done) { *reinterpret_cast<char*>(done) = 1; }
}  // namespace __cxxabiv1
