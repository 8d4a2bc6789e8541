// SPDX-License-Identifier: Apache-2.0
//
// nothing, now, sleep and serve: what life cycles are timed with.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "line.h"
#include "load.h"
#include "loopback.h"

int Nothing(int count, char **words) {
  (void)words;
  return count == 0 ? 0 : WrongUse("load nothing: expected no argument");
}

int Now(int count, char **words) {
  (void)words;
  if (count != 0) return WrongUse("load now: expected no argument");
  Ready();
  return 0;
}

int Sleep(int count, char **words) {
  (void)words;
  if (count != 0) return WrongUse("load sleep: expected no argument");
  CatchEnd();
  Ready();
  WaitForEnd();
  End();
  return 0;
}

// Connects, asks, gets the answer; the exit code says whether it did.
static int Ask(const struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  char answer = 0;
  if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) != 0) return 1;
  if (write(fd, "?", 1) != 1 || read(fd, &answer, 1) != 1) return 1;
  return answer == '!' ? 0 : 1;
}

static int Answer(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  char question = 0;
  if (fd < 0 || read(fd, &question, 1) != 1 || write(fd, "!", 1) != 1) return -1;
  return close(fd);
}

int Serve(int count, char **words) {
  (void)words;
  if (count != 0) return WrongUse("load serve: expected no argument");
  CatchEnd();
  BringLoopbackUp();
  struct sockaddr_in address;
  int listener = ListenOn(htonl(INADDR_LOOPBACK), 0, &address);
  if (listener < 0) return FailWith("load serve: listen on 127.0.0.1: %s", strerror(errno));
  pid_t client = fork();
  if (client == 0) _exit(Ask(&address));
  if (client < 0 || Answer(listener) != 0)
    return FailWith("load serve: answer: %s", strerror(errno));
  int status = 0;
  if (waitpid(client, &status, 0) != client || status != 0)
    return FailWith("load serve: no answer came");
  Ready();
  WaitForEnd();
  End();
  return 0;
}
