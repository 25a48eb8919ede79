/* exit WAY: as exit.cpp, in C, where nothing is freed. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zus.h"

static void *wait_for_interrupt(void *signals) {
  int number;
  sigwait((sigset_t *)signals, &number);
  exit(130);
}

int main(int argc, char **argv) {
  const char *way = argc > 1 ? argv[1] : "";
  zus_config *config = zus_config_new();
  static zus_queue *queue; /* static, so that no sanitizer takes them for lost */
  static zus_client *client;
  sigset_t interrupt;
  pthread_t thread;
  int i;
  queue = zus_queue_new();
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, NULL);
  if (zus_config_set_from_env(config) != ZUS_OK || zus_config_set_concurrency(config, 100) != ZUS_OK ||
      zus_config_set_rate(config, 0, 1) != ZUS_OK || zus_client_new(config, &client) != ZUS_OK)
    return 99;
  for (i = 0; i < 100; i++)
    if (zus_update_status_start(client, "answer-never@example.com", ZUS_ACTIVATE, NULL, queue, NULL) != ZUS_OK) return 99;
  usleep((useconds_t)(getpid() % 50) * 1000);
  if (strcmp(way, "exit") == 0) exit(3);
  if (strcmp(way, "interrupt") == 0) {
    pthread_create(&thread, NULL, wait_for_interrupt, &interrupt);
    kill(getpid(), SIGINT);
    zus_queue_next(queue, 60000);
    return 1;
  }
  if (strcmp(way, "killed") == 0) {
    pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
    kill(getpid(), SIGINT);
    zus_queue_next(queue, 60000);
    return 1;
  }
  return 0;
}
