/* event_loop USER_ID...
 *
 * Deactivates users in a program with one thread and an event loop (epoll on Linux, poll on other systems). It starts the calls;
 * the queue's descriptor becomes readable when a call has ended. Meanwhile the loop can do other work: here it counts its rounds.
 * Ctrl-C cancels the calls that have not ended. Exit status: 0 all done, 1 some failed, 2 usage error, 130 stopped by Ctrl-C.
 *
 *   cc -Iinclude examples/c/event_loop.c -Ltarget/release -lzus -Wl,-rpath,"$PWD/target/release" -o event_loop */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#  define _POSIX_C_SOURCE 200809L
#endif
#include <signal.h>
#include <stdio.h>

#if defined(_WIN32)
#  define WIN32_LEAN_AND_MEAN
#  include <winsock2.h>
#elif defined(__linux__)
#  include <sys/epoll.h>
#  include <unistd.h>
#else
#  include <poll.h>
#  include <unistd.h>
#endif

#include "zus.h"

enum { TICK_MS = 100 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) { (void)number, interrupted = 1; }

static void handle_interrupt(void) {
#ifdef _WIN32
  signal(SIGINT, on_interrupt);
#else
  struct sigaction action; /* on some systems signal() handles the first signal only */
  action.sa_handler = on_interrupt;
  action.sa_flags = 0;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
#endif
}

/* The event loop, here with one descriptor: waits until it is readable, for TICK_MS at most. */
#if defined(_WIN32)
typedef SOCKET watched;

static int watch(int64_t descriptor, watched *loop) {
  *loop = (SOCKET)descriptor;
  return 0;
}

static void wait_for_events(watched loop) {
  WSAPOLLFD one;
  one.fd = loop;
  one.events = POLLRDNORM;
  WSAPoll(&one, 1, TICK_MS);
}

static void unwatch(watched loop) { closesocket(loop); }
#elif defined(__linux__)
typedef struct {
  int epoll, descriptor;
} watched;

static int watch(int64_t descriptor, watched *loop) {
  struct epoll_event one = {0};
  one.events = EPOLLIN;
  loop->descriptor = (int)descriptor;
  loop->epoll = epoll_create1(EPOLL_CLOEXEC);
  return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->descriptor, &one);
}

static void wait_for_events(watched loop) {
  struct epoll_event one;
  epoll_wait(loop.epoll, &one, 1, TICK_MS);
}

static void unwatch(watched loop) {
  close(loop.epoll);
  close(loop.descriptor);
}
#else
typedef int watched;

static int watch(int64_t descriptor, watched *loop) {
  *loop = (int)descriptor;
  return 0;
}

static void wait_for_events(watched loop) {
  struct pollfd one;
  one.fd = loop;
  one.events = POLLIN;
  poll(&one, 1, TICK_MS);
}

static void unwatch(watched loop) { close(loop); }
#endif

typedef struct {
  int pending, done, failed;
} report;

/* Takes all events of the queue. The descriptor stays readable until the queue is empty. */
static void take_events(const zus_client *client, const zus_cancel *cancel, const zus_queue *queue, report *so_far) {
  zus_event *event;
  while ((event = zus_queue_next(queue, 0)) != NULL) {
    const zus_result *result = zus_event_result(event); /* borrowed from the event */
    zus_code code = zus_result_code(result);
    const char *user = (const char *)zus_event_userdata(event); /* the userdata of zus_update_status_start */
    so_far->pending--;
    if (code == ZUS_OK) {
      so_far->done++;
      printf("DONE %s\n", user);
    } else {
      so_far->failed++;
      printf("FAIL %s %s %s\n", user, zus_code_name(code), zus_result_message(result));
    }
    /* Every other user would fail the same way: those in flight finish, nobody else is sent. */
    if (zus_result_is_fatal(result)) zus_client_stop_started(client, cancel);
    zus_event_free(event);
  }
  fflush(stdout);
}

static int offboard(const zus_client *client, char **users, int count) {
  zus_queue *queue = zus_queue_new();
  zus_cancel *cancel = zus_cancel_new();
  report so_far = {0, 0, 0};
  watched loop;
  int i, rounds = 0;
  if (watch(zus_queue_descriptor(queue), &loop) != 0) {
    fprintf(stderr, "the event loop can't watch the queue\n");
    zus_cancel_free(cancel);
    zus_queue_free(queue);
    return 2;
  }
  for (i = 0; i < count; i++) {
    zus_code code = zus_update_status_start(client, users[i], ZUS_DEACTIVATE, cancel, queue, users[i]);
    if (code == ZUS_OK)
      so_far.pending++; /* exactly one event will come */
    else
      so_far.failed++, printf("FAIL %s %s\n", users[i], zus_code_name(code));
  }
  while (so_far.pending > 0) {
    wait_for_events(loop);
    if (interrupted) zus_cancel_trigger(cancel); /* not in the signal handler */
    take_events(client, cancel, queue, &so_far);
    rounds++;
  }
  fprintf(stderr, "%d done, %d failed; the loop ran %d times\n", so_far.done, so_far.failed, rounds);
  unwatch(loop);
  zus_cancel_free(cancel);
  zus_queue_free(queue);
  return interrupted ? 130 : so_far.failed ? 1 : 0;
}

int main(int argc, char **argv) {
  zus_config *config = zus_config_new();
  zus_client *client = NULL;
  int status = 2;
  if (argc < 2)
    fprintf(stderr, "usage: %s USER_ID...\n", argc > 0 ? argv[0] : "event_loop");
  else if (zus_config_set_from_env(config) != ZUS_OK || zus_client_new(config, &client) != ZUS_OK)
    fprintf(stderr, "%s\n", zus_config_message(config));
  else {
    handle_interrupt();
    status = offboard(client, argv + 1, argc - 1);
  }
  zus_client_free(client);
  zus_config_free(config);
  return status;
}
