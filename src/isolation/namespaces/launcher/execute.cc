// SPDX-License-Identifier: Apache-2.0
//
// The last steps: HOME from the container's own /etc/passwd, finding the program, execve.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

constexpr int kExecutable = 1;  // X_OK of access(2)

// The `index`th field of a passwd line, ended by a NUL in place; nullptr when there is none.
char* Field(char* line, unsigned index) {
  while (index > 0) {
    while (*line != 0 && *line != ':') ++line;
    if (*line == 0) return nullptr;
    ++line;
    --index;
  }
  char* end = line;
  while (*end != 0 && *end != ':') ++end;
  *end = 0;
  return line;
}

}  // namespace

const char* FindHome(char* text, unsigned long uid) {
  while (*text != 0) {
    char* end = text;
    while (*end != 0 && *end != '\n') ++end;
    char* next = *end == 0 ? end : end + 1;
    *end = 0;
    char* home = Field(text, 5);  // fields are cut from the right: the earlier ones stay whole
    char* id_text = Field(text, 2);
    const char* id = id_text;
    unsigned long number = 0;
    if (home != nullptr && id != nullptr && ParseNumber(id, number) && *id == 0 && number == uid) {
      return home;
    }
    text = next;
  }
  return nullptr;
}

long Home(Launcher& l, const Operation& op) {
  static char passwd[1 << 16];
  char* to = l.Data<char>(op.data);
  const char* end = to + op.b;
  const char* home = nullptr;
  open_how how{};
  how.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  Handle file(Call<__NR_openat2>(l.root, "etc/passwd", &how, sizeof how));
  FileKind kind;
  if (!file.bad() && Examine(file.get(), kind) == 0 && (kind.mode & S_IFMT) == S_IFREG) {
    long size = Call<__NR_read>(file.get(), passwd, sizeof passwd - 1);
    if (size > 0) {
      passwd[size] = 0;
      home = FindHome(passwd, op.a);
    }
  }
  AppendText(AppendText(to, end, "HOME="), end, home != nullptr && home[0] != 0 ? home : "/");
  return 0;
}

long FindExecutable(Launcher& l, const Operation& op) {
  const auto* candidates = l.Data<Offset>(op.data);
  long result = -ENOENT;
  for (unsigned i = 0; i < op.data_count; ++i) {
    const char* path = l.Text(candidates[i]);
    Handle file(Call<__NR_openat>(AT_FDCWD, path, O_PATH | O_CLOEXEC));
    long error = file.bad() ? file.error() : 0;
    FileKind kind;
    if (error == 0) error = Examine(file.get(), kind);
    if (error == 0 && (kind.mode & S_IFMT) == S_IFDIR) {
      error = -EACCES;  // what execve answers for a directory
      l.Explain("is a directory");
    }
    if (error == 0) error = Call<__NR_faccessat2>(AT_FDCWD, path, kExecutable, AT_EACCESS);
    if (error == 0) {
      l.executable = path;
      l.report.detail[0] = 0;
      return 0;
    }
    if (error != -ENOENT && error != -ENOTDIR) result = error;
  }
  return result;
}

long Execute(Launcher& l, const Operation& op) {
  auto pointers = [&l](Offset list) {
    auto* slots = l.Data<__u64>(list);  // offsets become addresses in place
    for (unsigned i = 0; slots[i] != 0; ++i) slots[i] += reinterpret_cast<__u64>(l.base);
    return slots;
  };
  auto* argv = pointers(op.data);
  auto* envp = pointers(op.data2);
  l.Explain(l.executable);
  if (l.report.kind != ReportKind::kExec) SendReport(l, ReportKind::kExec, 0);
  return Call<__NR_execve>(l.executable, argv, envp);
}

}  // namespace kiste::isolation::launcher
