// SPDX-License-Identifier: Apache-2.0
#include "line.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { kLine = 1024 };  // below PIPE_BUF: lines of several processes do not mix

struct Line {
  char text[kLine];
  size_t size;
};

__attribute__((format(printf, 2, 0))) static void AddList(struct Line* line, const char* words,
                                                          va_list list) {
  size_t room = sizeof line->text - line->size - 1;  // one byte is for the newline
  int size = vsnprintf(line->text + line->size, room, words, list);
  if (size > 0) line->size += (size_t)size < room ? (size_t)size : room - 1;
}

__attribute__((format(printf, 2, 3))) static void Add(struct Line* line, const char* words, ...) {
  va_list list;
  va_start(list, words);
  AddList(line, words, list);
  va_end(list);
}

static void Write(int fd, struct Line* line) {
  for (size_t i = 0; i < line->size; ++i)
    if (line->text[i] == '\n') line->text[i] = ' ';
  line->text[line->size++] = '\n';
  for (size_t done = 0; done < line->size;) {
    ssize_t size = write(fd, line->text + done, line->size - done);
    if (size > 0)
      done += (size_t)size;
    else if (errno != EINTR)
      _exit(1);  // nobody listens any more, and there is nowhere to say so
  }
  line->size = 0;
}

void SayResultAt(const char* x_name, double x, const char* metric, const char* unit,
                 const double* numbers, size_t count) {
  struct Line line = {.size = 0};
  for (size_t i = 0; i < count; ++i) {
    if (line.size == 0) {
      if (x_name)
        Add(&line, "at %s %.9g %s %s", x_name, x, metric, unit);
      else
        Add(&line, "result %s %s", metric, unit);
    }
    Add(&line, " %.9g", numbers[i]);
    if (line.size > sizeof line.text - 32) Write(STDOUT_FILENO, &line);
  }
  if (line.size > 0) Write(STDOUT_FILENO, &line);
}

void SayResult(const char* metric, const char* unit, const double* numbers, size_t count) {
  SayResultAt(NULL, 0, metric, unit, numbers, count);
}

void SayNumber(const char* metric, const char* unit, double number) {
  SayResult(metric, unit, &number, 1);
}

void SayReady(void) {
  struct Line line = {.size = 0};
  Add(&line, "ready");
  Write(STDOUT_FILENO, &line);
}

void SayEnd(void) {
  struct Line line = {.size = 0};
  Add(&line, "end");
  Write(STDOUT_FILENO, &line);
}

void SayFinding(const char* probe, const char* verdict, const char* words, ...) {
  struct Line line = {.size = 0};
  Add(&line, "finding %s %s ", probe, verdict);
  va_list list;
  va_start(list, words);
  AddList(&line, words, list);
  va_end(list);
  Write(STDOUT_FILENO, &line);
}

void SayCannot(const char* metric, const char* words, ...) {
  struct Line line = {.size = 0};
  Add(&line, "cannot %s ", metric);
  va_list list;
  va_start(list, words);
  AddList(&line, words, list);
  va_end(list);
  Write(STDOUT_FILENO, &line);
}

static const char* Name(int error) {
  const char* name = strerrorname_np(error);
  return name ? name : "?";
}

void SayCannotCall(const char* metric, const char* call, int error) {
  SayCannot(metric, "%s: %s (%s)", call, strerror(error), Name(error));
}

int Complain(const char* words, ...) {
  struct Line line = {.size = 0};
  Add(&line, "load: ");
  va_list list;
  va_start(list, words);
  AddList(&line, words, list);
  va_end(list);
  Write(STDERR_FILENO, &line);
  return 1;
}

int ComplainCall(const char* call, int error) {
  return Complain("%s: %s (%s)", call, strerror(error), Name(error));
}
