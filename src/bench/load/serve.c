// SPDX-License-Identifier: Apache-2.0
//
// serve: from the start until a server on the loopback has answered its first client. Where there
// is no network it is a pair of unix sockets, and `cannot serve/tcp` says so.
#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ending.h"
#include "line.h"
#include "loopback.h"
#include "option.h"
#include "subcommands.h"
#include "worker.h"

static const char kQuestion[] = "are you there?";
static const char kAnswer[] = "yes, I am here";

// The client's exit code is the errno of what failed.
static void Ask(int fd) {
  char answer[sizeof kAnswer];
  bool good =
      fd != -1 && WriteAll(fd, kQuestion, sizeof kQuestion) && ReadAll(fd, answer, sizeof answer);
  _exit(good ? 0 : errno);
}

static bool Answer(int fd) {
  char question[sizeof kQuestion];
  bool good = ReadAll(fd, question, sizeof question) && WriteAll(fd, kAnswer, sizeof kAnswer);
  int error = errno;
  close(fd);
  errno = error;
  return good;
}

static bool EndedWell(pid_t client) {
  int status = 0;
  while (waitpid(client, &status, 0) == -1)
    if (errno != EINTR || Ended()) return false;
  errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
  return status == 0;
}

static bool ServeTcp(void) {
  BringLoopbackUp();
  struct Address address = Loopback();
  int listener = Bind(SOCK_STREAM, &address);
  if (listener == -1) return false;
  pid_t client = ForkWorker();
  if (client == 0) Ask(Connect(SOCK_STREAM, &address));
  int fd = client == -1 ? -1 : accept(listener, NULL, NULL);
  bool good = fd != -1 && Answer(fd) && EndedWell(client);
  int error = errno;
  if (!good) EndWorker(client);
  errno = error;
  return good;  // the listener stays: this is a server
}

static bool ServeUnix(void) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) return false;
  pid_t client = ForkWorker();
  if (client == 0) {
    close(ends[0]);
    Ask(ends[1]);
  }
  close(ends[1]);
  return client != -1 && Answer(ends[0]) && EndedWell(client);
}

int RunServe(char** words) {
  if (!ReadOptions("serve", NULL, 0, words)) return kUsage;
  if (!ServeTcp()) {
    SayCannotCall("serve/tcp", "a server on the loopback", errno);
    if (!ServeUnix()) return ComplainCall("serve: a pair of unix sockets", errno);
  }
  SayReady();
  WaitForEnd(-1);
  return 0;
}
