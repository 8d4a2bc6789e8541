// SPDX-License-Identifier: Apache-2.0
#include "line.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void WriteAll(int fd, const char *text, size_t size) {
  while (size > 0) {
    ssize_t done = write(fd, text, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return;
    text += done;
    size -= (size_t)done;
  }
}

// A line must stay one: what somebody else named may have newlines.
static void OneLine(char *text) {
  for (; *text != 0; ++text) {
    if (*text == '\n' || *text == '\r') *text = ' ';
  }
}

static void Say(int fd, const char *format, va_list arguments) {
  char line[4096];
  int size = vsnprintf(line, sizeof line - 1, format, arguments);
  if (size < 0) return;
  if ((size_t)size > sizeof line - 2) size = sizeof line - 2;
  line[size] = 0;
  OneLine(line);
  line[size] = '\n';
  WriteAll(fd, line, (size_t)size + 1);
}

__attribute__((format(printf, 1, 2))) static void SayLine(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  Say(1, format, arguments);
  va_end(arguments);
}

void Ready(void) { WriteAll(1, "ready\n", 6); }
void End(void) { WriteAll(1, "end\n", 4); }

void Samples(const char *metric, const char *unit, const double *numbers, size_t count) {
  char line[4096];
  int at = snprintf(line, sizeof line, "result %s %s", metric, unit);
  if (count == 0 || at < 0) return;
  for (size_t i = 0; i < count && (size_t)at < sizeof line - 32; ++i)
    at += snprintf(line + at, sizeof line - (size_t)at, " %.9g", numbers[i]);
  line[at] = '\n';
  WriteAll(1, line, (size_t)at + 1);
}

void Number(const char *metric, const char *unit, double number) {
  Samples(metric, unit, &number, 1);
}

void NumberAt(const char *x_name, double x, const char *metric, const char *unit, double number) {
  SayLine("at %s %.9g %s %s %.9g", x_name, x, metric, unit, number);
}

static void SayWords(const char *word, const char *name, const char *verdict, const char *format,
                     va_list arguments) {
  char words[2048];
  vsnprintf(words, sizeof words, format, arguments);
  SayLine("%s %s%s%s %s", word, name, *verdict != 0 ? " " : "", verdict, words);
}

void Cannot(const char *metric, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  SayWords("cannot", metric, "", format, arguments);
  va_end(arguments);
}

void CannotErrno(const char *metric, const char *what) {
  Cannot(metric, "%s: %s", what, strerror(errno));
}

void Finding(const char *probe, const char *verdict, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  SayWords("finding", probe, verdict, format, arguments);
  va_end(arguments);
}

int WrongUse(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  Say(2, format, arguments);
  va_end(arguments);
  return 2;
}

int FailWith(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  Say(2, format, arguments);
  va_end(arguments);
  return 1;
}
