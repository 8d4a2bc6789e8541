// SPDX-License-Identifier: Apache-2.0
#include "isolation/namespaces/launcher/launcher.h"

// The compiler may call these for copies and comparisons of its own making (GCC manual,
// "Language Standards": a freestanding environment provides them). The tests have a C library's.
#ifdef KISTE_HOSTED
#include <string.h>
#else
extern "C" {

void* memcpy(void* to, const void* from, unsigned long size);
void* memmove(void* to, const void* from, unsigned long size);
void* memset(void* to, int value, unsigned long size);
int memcmp(const void* a, const void* b, unsigned long size);

void* memcpy(void* to, const void* from, unsigned long size) {
  auto* out = static_cast<char*>(to);
  const auto* in = static_cast<const char*>(from);
  for (unsigned long i = 0; i < size; ++i) out[i] = in[i];
  return to;
}

void* memmove(void* to, const void* from, unsigned long size) {
  auto* out = static_cast<char*>(to);
  const auto* in = static_cast<const char*>(from);
  if (out < in) return memcpy(to, from, size);
  for (unsigned long i = size; i > 0; --i) out[i - 1] = in[i - 1];
  return to;
}

void* memset(void* to, int value, unsigned long size) {
  auto* out = static_cast<char*>(to);
  for (unsigned long i = 0; i < size; ++i) out[i] = static_cast<char>(value);
  return to;
}

int memcmp(const void* a, const void* b, unsigned long size) {
  const auto* left = static_cast<const unsigned char*>(a);
  const auto* right = static_cast<const unsigned char*>(b);
  for (unsigned long i = 0; i < size; ++i) {
    if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
  }
  return 0;
}

}  // extern "C"
#endif

namespace kiste::isolation::launcher {

unsigned Length(const char* text) {
  unsigned length = 0;
  while (text[length] != 0) ++length;
  return length;
}

bool Equal(const char* a, const char* b) {
  while (*a != 0 && *a == *b) ++a, ++b;
  return *a == *b;
}

bool StartsWith(const char* text, const char* prefix) {
  while (*prefix != 0) {
    if (*text++ != *prefix++) return false;
  }
  return true;
}

void Copy(void* to, const void* from, unsigned long size) { memcpy(to, from, size); }

char* AppendText(char* to, const char* end, const char* text) {
  while (*text != 0 && to + 1 < end) *to++ = *text++;
  *to = 0;
  return to;
}

char* AppendNumber(char* to, const char* end, unsigned long number) {
  char digits[24];
  char* first = digits + sizeof digits - 1;
  *first = 0;
  do {
    *--first = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return AppendText(to, end, first);
}

char* AppendQuoted(char* to, const char* end, const char* text, unsigned long size) {
  constexpr char kHex[] = "0123456789abcdef";
  constexpr int kRest = 4 + 4;  // the longest of one character, then the mark, the quote, the NUL
  to = AppendText(to, end, "\"");
  unsigned long i = 0;
  for (; i < size && end - to > kRest; ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    char plain[] = {text[i], 0};
    char escaped[] = {'\\', text[i], 0};
    char hex[] = {'\\', 'x', kHex[byte >> 4], kHex[byte & 15], 0};
    bool quoted = text[i] == '"' || text[i] == '\\';
    bool control = byte < 0x20 || byte == 0x7f;
    to = AppendText(to, end, text[i] == '\n' ? "\\n" : quoted ? escaped : control ? hex : plain);
  }
  return AppendText(to, end, i < size ? "…\"" : "\"");
}

bool ParseNumber(const char*& text, unsigned long& number) {
  if (*text < '0' || *text > '9') return false;
  number = 0;
  while (*text >= '0' && *text <= '9') {
    number = number * 10 + static_cast<unsigned long>(*text++ - '0');
  }
  return true;
}

void Launcher::Explain(const char* piece, const char* piece2, const char* piece3) {
  const char* end = report.detail + sizeof report.detail;
  char* to = report.detail;
  to = AppendText(to, end, piece);
  to = AppendText(to, end, piece2);
  AppendText(to, end, piece3);
}

void Launcher::ExplainQuoted(const char* piece, const char* text, unsigned long size) {
  constexpr long kWorthIt = 16;
  auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (size > 0 && blank(text[size - 1])) --size;
  while (size > 0 && blank(*text)) ++text, --size;
  const char* end = report.detail + sizeof report.detail;
  char* to = report.detail + Length(report.detail);
  if (size == 0 || end - to < Length(piece) + kWorthIt) return;
  AppendQuoted(AppendText(to, end, piece), end, text, size);
}

}  // namespace kiste::isolation::launcher
