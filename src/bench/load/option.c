// SPDX-License-Identifier: Apache-2.0
#include "option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"

static bool Set(const char* subcommand, const struct Option* option, const char* value) {
  const char* name = option->name ? option->name : option->shown;
  if (option->text) {
    if (*value) {
      *option->text = value;
      return true;
    }
    Complain("%s: %s: expected %s, found nothing", subcommand, name, option->shown);
    return false;
  }
  char* rest = NULL;
  errno = 0;
  if (option->number) {
    long number = strtol(value, &rest, 10);
    if (*value && !*rest && !errno && number >= option->least && number <= option->most) {
      *option->number = number;
      return true;
    }
    Complain("%s: %s: expected a whole number from %ld to %ld, found '%s'", subcommand, name,
             option->least, option->most, value);
    return false;
  }
  double real = strtod(value, &rest);
  if (*value && !*rest && real > 0 && real <= (double)option->most) {
    *option->real = real;
    return true;
  }
  Complain("%s: %s: expected a number above 0, to %ld, found '%s'", subcommand, name, option->most,
           value);
  return false;
}

static const struct Option* Find(const struct Option* options, size_t count, const char* word) {
  bool named = word[0] == '-';
  for (size_t i = 0; i < count; ++i) {
    const char* name = options[i].name;
    if (named ? name && strcmp(name, word) == 0 : !name) return &options[i];
  }
  return NULL;
}

static const char* Name(const struct Option* option) {
  return option->name ? option->name : option->shown;
}

bool ReadOptions(const char* subcommand, const struct Option* options, size_t count, char** words) {
  const struct Option* bare = NULL;  // the word without a name, once it was there
  for (; *words; ++words) {
    const struct Option* option = Find(options, count, *words);
    if (!option || (option == bare && bare)) {
      char known[256] = "";
      for (size_t i = 0; i < count; ++i) {
        if (i > 0) strncat(known, ", ", sizeof known - strlen(known) - 1);
        strncat(known, Name(&options[i]), sizeof known - strlen(known) - 1);
      }
      Complain("%s: expected %s%s, found '%s'", subcommand, count ? "one of " : "nothing more",
               known, *words);
      return false;
    }
    if (!option->name) {
      bare = option;
      if (!Set(subcommand, option, *words)) return false;
      continue;
    }
    if (!words[1]) {
      Complain("%s: %s: expected %s, found nothing", subcommand, option->name, option->shown);
      return false;
    }
    if (!Set(subcommand, option, *++words)) return false;
  }
  return true;
}
