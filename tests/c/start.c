/* Calls that don't wait, through the C ABI: their events, the queue, and what happens when something ends early.
 * ZUS_TEST_EVENTS: how many events to send through a queue; default 1,000,000. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#ifdef __linux__
#  include <sys/epoll.h>
#endif

#include "check.h"
#include "sandbox.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
enum { MOST = 65536, WAIT = 60000 };

static void *number(size_t n) { return (void *)(uintptr_t)n; }

static zus_code start(const zus_client *client, const char *user, const zus_cancel *cancel, const zus_queue *queue, size_t n) {
  return zus_update_status_start(client, user, ZUS_DEACTIVATE, cancel, queue, number(n));
}

/* Takes the next result, frees its event, and gives the code; -1 when none came. */
static int take(const zus_queue *queue, size_t *n) {
  zus_event *event = zus_queue_next(queue, WAIT);
  int code = event == NULL ? -1 : (int)zus_result_code(zus_event_result(event));
  *n = (size_t)(uintptr_t)zus_event_userdata(event);
  zus_event_free(event);
  return code;
}

static void nothing(void) {
  zus_queue *queue = zus_queue_new();
  zus_config *config = zus_config_new();
  test("NULL is an error or nothing, everywhere");
  CHECK_CODE(zus_update_status_start(NULL, "ada", ZUS_DEACTIVATE, NULL, queue, NULL), ZUS_ERR_NULL);
  CHECK_CODE(zus_get_user_status_start(NULL, "ada", NULL, queue, NULL), ZUS_ERR_NULL);
  CHECK_CODE(zus_check_credentials_start(NULL, NULL, queue, NULL), ZUS_ERR_NULL);
  CHECK_NUMBER(zus_client_cancel_started(NULL, WAIT), 1);
  zus_client_stop_started(NULL, NULL);
  CHECK(zus_queue_next(NULL, 0) == NULL);
  CHECK_NUMBER(zus_queue_descriptor(NULL), -1);
  zus_queue_wake(NULL);
  zus_queue_free(NULL);
  CHECK_NUMBER(zus_event_kind(NULL), 0);
  CHECK(zus_event_userdata(NULL) == NULL);
  CHECK(zus_event_result(NULL) == NULL);
  CHECK_NUMBER(zus_event_log_level(NULL), 0);
  CHECK_TEXT(zus_event_message(NULL), "");
  CHECK_NUMBER(zus_event_token_rejected(NULL), 0);
  CHECK_CODE(zus_event_set_token(NULL, "token"), ZUS_ERR_NULL);
  zus_event_free(NULL);
  CHECK_NUMBER(zus_result_is_fatal(NULL), 0);

  test("the kinds of events that a configuration asks for are checked");
  CHECK_CODE(zus_config_set_events(NULL, queue, ZUS_LOG_INFO), ZUS_ERR_NULL);
  CHECK_CODE(zus_config_set_events(config, NULL, ZUS_LOG_INFO), ZUS_ERR_NULL);
  CHECK_CODE(zus_config_set_events(config, queue, 9), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_events(config, queue, -1), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_events(config, queue, ZUS_LOG_DEBUG + ZUS_EVENTS_TOKEN), ZUS_OK);
  zus_config_free(config);
  zus_queue_free(queue);
}

static void kinds(const sandbox *box) {
  zus_queue *queue = zus_queue_new(), *asked = zus_queue_new();
  zus_config *config = config_for(box);
  zus_client *client;
  zus_event *event;
  int results = 0, lines = 0, tokens = 0;

  test("a result, log lines and token requests are events");
  CHECK_CODE(zus_config_set_events(config, asked, ZUS_LOG_INFO + ZUS_EVENTS_TOKEN), ZUS_OK);
  client = client_from(config);
  CHECK_CODE(start(client, "nobody@example.com", NULL, queue, 7), ZUS_OK);
  while ((event = zus_queue_next(asked, 2000)) != NULL) {
    if (zus_event_kind(event) == ZUS_EVENT_TOKEN) {
      CHECK_NUMBER(zus_event_token_rejected(event), tokens);
      CHECK_CODE(zus_event_set_token(event, NULL), ZUS_ERR_NULL);
      CHECK_CODE(zus_event_set_token(event, "\xFF"), ZUS_ERR_UTF8);
      CHECK_CODE(zus_event_set_token(event, "two words"), ZUS_ERR_ARGUMENT);
      CHECK_CODE(zus_event_set_token(event, tokens++ ? "sandbox-token" : "expired"), ZUS_OK);
      CHECK_CODE(zus_event_set_token(event, "again"), ZUS_ERR_ARGUMENT);
    } else {
      CHECK_NUMBER(zus_event_kind(event), ZUS_EVENT_LOG);
      CHECK(zus_event_log_level(event) >= ZUS_LOG_ERROR && zus_event_log_level(event) <= ZUS_LOG_INFO);
      CHECK(strlen(zus_event_message(event)) > 0);
      lines++;
    }
    CHECK(zus_event_userdata(event) == NULL);
    CHECK(zus_event_result(event) == NULL);
    zus_event_free(event);
  }
  CHECK_NUMBER(tokens, 2);
  CHECK(lines > 1);
  while ((event = zus_queue_next(queue, 0)) != NULL) {
    const zus_result *result = zus_event_result(event);
    CHECK_NUMBER(zus_event_kind(event), ZUS_EVENT_RESULT);
    CHECK(zus_event_userdata(event) == number(7));
    CHECK_CODE(zus_result_code(result), ZUS_ERR_USER_NOT_FOUND);
    CHECK_TEXT(zus_result_user_id(result), "nobody@example.com");
    CHECK_NUMBER(zus_result_is_fatal(result), 0);
    CHECK_NUMBER(zus_event_log_level(event), 0);
    CHECK_TEXT(zus_event_message(event), "");
    CHECK_CODE(zus_event_set_token(event, "token"), ZUS_ERR_ARGUMENT);
    zus_event_free(event);
    results++;
  }
  CHECK_NUMBER(results, 1);
  zus_client_free(client);

  test("a token request that is freed without a reply is no token, which is fatal for a batch");
  config = config_for(box);
  zus_config_set_events(config, queue, ZUS_EVENTS_TOKEN);
  client = client_from(config);
  CHECK_CODE(zus_get_user_status_start(client, "ada@example.com", NULL, queue, number(8)), ZUS_OK);
  event = zus_queue_next(queue, WAIT);
  CHECK_NUMBER(zus_event_kind(event), ZUS_EVENT_TOKEN);
  zus_event_free(event);
  event = zus_queue_next(queue, WAIT);
  CHECK_CODE(zus_result_code(zus_event_result(event)), ZUS_ERR_TOKEN);
  CHECK_NUMBER(zus_result_is_fatal(zus_event_result(event)), 1);
  zus_event_free(event);

  test("nor is there one once the queue that was to be asked is freed");
  CHECK_CODE(start(client, "ada@example.com", NULL, asked, 9), ZUS_OK);
  zus_queue_free(queue);
  event = zus_queue_next(asked, WAIT);
  CHECK_CODE(zus_result_code(zus_event_result(event)), ZUS_ERR_TOKEN);
  zus_event_free(event);
  zus_client_free(client);
  zus_queue_free(asked);
}

static void cancels(const sandbox *box) {
  zus_queue *queue = zus_queue_new();
  zus_config *config = config_for(box);
  zus_client *client;
  zus_cancel *first = zus_cancel_new(), *second = zus_cancel_new(), *early = zus_cancel_new();
  size_t n;
  double took;
  zus_config_set_concurrency(config, 1);
  client = client_from(config);

  test("a cancel ends a call in flight, one that waits for it, and one that comes later");
  CHECK_CODE(start(client, "answer-never@example.com", first, queue, 1), ZUS_OK);
  CHECK_CODE(start(client, "answer-never@example.com", second, queue, 2), ZUS_OK);
  sleep_ms(200);
  took = seconds_now();
  zus_cancel_trigger(second);
  CHECK_CODE(take(queue, &n), ZUS_ERR_CANCELLED);
  CHECK_NUMBER(n, 2);
  zus_cancel_trigger(first);
  CHECK_CODE(take(queue, &n), ZUS_ERR_CANCELLED);
  CHECK_NUMBER(n, 1);
  CHECK(seconds_now() - took < 3);
  zus_cancel_trigger(early);
  CHECK_CODE(start(client, "ada@example.com", early, queue, 3), ZUS_OK);
  zus_cancel_free(early); /* the call has its own reference */
  CHECK_CODE(take(queue, &n), ZUS_ERR_CANCELLED);
  CHECK_NUMBER(n, 3);
  CHECK_NUMBER(ledger(box, "ada@example.com", "received"), 0);
  zus_cancel_free(first);
  zus_cancel_free(second);

  test("cancel_started ends all, and the client goes on");
  for (n = 0; n < 20; n++) CHECK_CODE(start(client, "answer-never@example.com", NULL, queue, n), ZUS_OK);
  CHECK_NUMBER(zus_client_cancel_started(client, WAIT), 1);
  {
    int i;
    for (i = 0; i < 20; i++) CHECK_CODE(take(queue, &n), ZUS_ERR_CANCELLED);
  }
  CHECK(zus_queue_next(queue, 0) == NULL);
  CHECK_CODE(start(client, "answer-204+after@example.com", NULL, queue, 4), ZUS_OK);
  CHECK_CODE(take(queue, &n), ZUS_OK);
  zus_client_free(client);
  zus_queue_free(queue);
}

static void *wait_for_nothing(void *queue) { return zus_queue_next((const zus_queue *)queue, WAIT); }

static void wakes(void) {
  zus_queue *queue = zus_queue_new();
  pthread_t thread;
  void *event;
  double took = seconds_now();
  test("a wake ends one wait, of a thread or the next, and an empty queue waits as long as it is told");
  pthread_create(&thread, NULL, wait_for_nothing, queue);
  sleep_ms(50);
  zus_queue_wake(queue);
  pthread_join(thread, &event);
  CHECK(event == NULL);
  zus_queue_wake(queue);
  CHECK(zus_queue_next(queue, WAIT) == NULL);
  CHECK(seconds_now() - took < 10);
  took = seconds_now();
  CHECK(zus_queue_next(queue, 100) == NULL);
  CHECK(seconds_now() - took >= 0.1);
  zus_queue_free(queue);
}

static int is_readable(int descriptor, int wait_ms) {
  struct pollfd watched;
  watched.fd = descriptor;
  watched.events = POLLIN;
  watched.revents = 0;
  return poll(&watched, 1, wait_ms) == 1 && watched.revents == POLLIN;
}

static void descriptors(const sandbox *box) {
  zus_queue *queue = zus_queue_new();
  zus_client *client = client_from(config_for(box));
  int first = (int)zus_queue_descriptor(queue), second = (int)zus_queue_descriptor(queue);
  size_t n;
  int round;
  test("a descriptor is readable while there are events, for poll");
  CHECK(first >= 0 && second >= 0 && first != second);
  CHECK(fcntl(first, F_GETFD) & FD_CLOEXEC);
  for (round = 0; round < 3; round++) {
    CHECK(!is_readable(first, 0));
    CHECK_CODE(start(client, "answer-204+poll@example.com", NULL, queue, 1), ZUS_OK);
    CHECK(is_readable(first, WAIT) && is_readable(second, 0));
    CHECK_CODE(take(queue, &n), ZUS_OK);
    CHECK(zus_queue_next(queue, 0) == NULL);
  }
  zus_queue_wake(queue);
  CHECK(is_readable(first, 0));
  CHECK(zus_queue_next(queue, 0) == NULL);
  CHECK(!is_readable(first, 0));
  close(second);
#ifdef __linux__
  {
    struct epoll_event event;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    test("for epoll, level- and edge-triggered");
    for (round = 0; round < 4; round++) {
      memset(&event, 0, sizeof event);
      event.events = round % 2 ? EPOLLIN | EPOLLET : EPOLLIN;
      CHECK_NUMBER(epoll_ctl(epoll, EPOLL_CTL_ADD, first, &event), 0);
      CHECK_NUMBER(epoll_wait(epoll, &event, 1, 0), 0);
      CHECK_CODE(start(client, "", NULL, queue, 2), ZUS_OK);
      CHECK_NUMBER(epoll_wait(epoll, &event, 1, WAIT), 1);
      CHECK_CODE(take(queue, &n), ZUS_ERR_ARGUMENT);
      CHECK(zus_queue_next(queue, 0) == NULL);
      CHECK_NUMBER(epoll_wait(epoll, &event, 1, 0), 0);
      CHECK_NUMBER(epoll_ctl(epoll, EPOLL_CTL_DEL, first, NULL), 0);
    }
    close(epoll);
  }
#endif
  test("it may be kept longer than its queue");
  zus_client_free(client);
  zus_queue_free(queue);
  CHECK(first >= 0 && fcntl(first, F_GETFD) >= 0);
  CHECK_NUMBER(close(first), 0);
}

static void ends_early(const sandbox *box) {
  zus_queue *queue = zus_queue_new();
  zus_client *client = client_from(config_for(box));
  size_t n;
  int i;
  double took = seconds_now();
  test("a client that is freed cancels its calls and waits for nothing; their events still come");
  for (i = 0; i < 50; i++) CHECK_CODE(start(client, "answer-never@example.com", NULL, queue, 1), ZUS_OK);
  zus_client_free(client);
  CHECK(seconds_now() - took < 3);
  for (i = 0; i < 50; i++) CHECK_CODE(take(queue, &n), ZUS_ERR_CANCELLED);

  test("a queue that is freed with events and calls takes them with it");
  client = client_from(config_for(box));
  for (i = 0; i < 50; i++) CHECK_CODE(start(client, i % 2 ? "" : "answer-slow-300@example.com", NULL, queue, 1), ZUS_OK);
  sleep_ms(50);
  zus_queue_free(queue);
  sleep_ms(400);
  queue = zus_queue_new();
  CHECK_CODE(start(client, "answer-204+early@example.com", NULL, queue, 5), ZUS_OK);
  CHECK_CODE(take(queue, &n), ZUS_OK);
  CHECK_NUMBER(n, 5);
  zus_queue_free(queue);
  zus_client_free(client);
}

typedef struct {
  zus_queue *queue;
  size_t count, taken, sum;
} reading;

static void *read_all(void *argument) {
  reading *r = (reading *)argument;
  while (r->taken < r->count) {
    zus_event *event = zus_queue_next(r->queue, WAIT);
    if (event == NULL) break;
    r->taken++;
    r->sum += (size_t)(uintptr_t)zus_event_userdata(event);
    zus_event_free(event);
  }
  return NULL;
}

static void many(const sandbox *box) {
  const char *events = getenv("ZUS_TEST_EVENTS");
  zus_queue *queue = zus_queue_new();
  zus_client *client = client_from(config_for(box));
  reading r;
  pthread_t reader;
  size_t n, refused = 0;
  memset(&r, 0, sizeof r);
  r.queue = queue;
  r.count = events != NULL ? (size_t)atol(events) : 1000000;

  test("as many events as there are calls, with a reader that drains");
  pthread_create(&reader, NULL, read_all, &r);
  for (n = 1; n <= r.count; n++) {
    zus_code code;
    while ((code = start(client, "", NULL, queue, n)) == ZUS_ERR_QUEUE_FULL) {
      refused++;
      sleep_ms(1);
    }
    if (!CHECK_CODE(code, ZUS_OK)) break;
  }
  pthread_join(reader, NULL);
  CHECK_NUMBER(r.taken, r.count);
  CHECK_NUMBER(r.sum, r.count * (r.count + 1) / 2);
  CHECK(zus_queue_next(queue, 0) == NULL);

  test("and with one that doesn't: 65,536 wait, and the next is refused until one is taken");
  for (n = 1; n <= MOST; n++)
    if (!CHECK_CODE(start(client, "", NULL, queue, n), ZUS_OK)) break;
  CHECK_CODE(start(client, "", NULL, queue, n), ZUS_ERR_QUEUE_FULL);
  CHECK_CODE(zus_get_user_status_start(client, "", NULL, queue, NULL), ZUS_ERR_QUEUE_FULL);
  CHECK_CODE(zus_check_credentials_start(client, NULL, queue, NULL), ZUS_ERR_QUEUE_FULL);
  CHECK_CODE(take(queue, &n), ZUS_ERR_ARGUMENT);
  CHECK_CODE(start(client, "", NULL, queue, 1), ZUS_OK);
  CHECK_CODE(start(client, "", NULL, queue, 1), ZUS_ERR_QUEUE_FULL);
  {
    zus_queue *other = zus_queue_new();
    CHECK_CODE(start(client, "answer-204+other@example.com", NULL, other, 2), ZUS_OK); /* each queue has its own */
    CHECK_CODE(take(other, &n), ZUS_OK);
    zus_queue_free(other);
  }
  zus_queue_free(queue);
  zus_client_free(client);
}

static void forks(const sandbox *box) {
  zus_queue *queue = zus_queue_new();
  zus_client *client = client_from(config_for(box));
  zus_cancel *cancel = zus_cancel_new();
  zus_event *event;
  size_t n;
  int i, status = -1;
  pid_t child;
  test("after fork the child is told, takes no lock, and starts calls of its own; the parent loses nothing");
  CHECK_CODE(start(client, "", NULL, queue, 1), ZUS_OK);
  event = zus_queue_next(queue, WAIT);
  CHECK_CODE(start(client, "answer-never@example.com", cancel, queue, 2), ZUS_OK);
  for (i = 0; i < 10; i++) CHECK_CODE(start(client, "answer-slow-2000+fork@example.com", NULL, queue, 3), ZUS_OK);
  sleep_ms(500);
  fflush(stdout);
  child = fork();
  if (child == 0) {
    zus_queue *mine;
    zus_client *ours;
    int bad = start(client, "ada@example.com", NULL, queue, 1) != ZUS_ERR_FORKED;
    bad += zus_get_user_status_start(client, "ada@example.com", NULL, queue, NULL) != ZUS_ERR_FORKED;
    bad += zus_check_credentials_start(client, NULL, queue, NULL) != ZUS_ERR_FORKED;
    bad += zus_queue_next(queue, WAIT) != NULL;
    bad += zus_queue_descriptor(queue) != -1;
    bad += zus_client_cancel_started(client, WAIT) != 1;
    zus_queue_wake(queue);
    zus_cancel_trigger(cancel);
    zus_event_free(event);
    zus_client_free(client);
    mine = zus_queue_new();
    ours = client_from(config_for(box));
    bad += start(ours, "answer-204+child@example.com", NULL, queue, 1) != ZUS_ERR_FORKED;
    bad += start(ours, "answer-204+child@example.com", NULL, mine, 1) != ZUS_OK || take(mine, &n) != ZUS_OK;
    zus_queue_free(queue);
    zus_queue_free(mine);
    zus_client_free(ours);
    if (bad == 0) kill(getpid(), SIGKILL); /* valgrind takes what the parent's threads have for lost */
    _exit(bad);
  }
  waitpid(child, &status, 0);
  CHECK_NUMBER(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), SIGKILL);
  for (i = 0; i < 10; i++) CHECK_CODE(take(queue, &n), ZUS_OK);
  zus_cancel_trigger(cancel);
  CHECK_CODE(take(queue, &n), ZUS_ERR_CANCELLED);
  CHECK_NUMBER(n, 2);
  CHECK_NUMBER(ledger(box, "answer-204+child@example.com", "received"), 1);
  zus_event_free(event);
  zus_cancel_free(cancel);
  zus_client_free(client);
  zus_queue_free(queue);
}

static void environment(const sandbox *box) {
  zus_config *config = zus_config_new();
  zus_client *client = NULL;
  test("a configuration from the environment says what is missing");
  CHECK_CODE(zus_config_set_from_env(NULL), ZUS_ERR_NULL);
  CHECK_CODE(zus_config_set_from_env(config), ZUS_ERR_CREDENTIALS);
  CHECK_CONTAINS(zus_config_message(config), "ZOOM_ACCOUNT_ID is not set");
  setenv("ZOOM_ACCESS_TOKEN", "sandbox-token", 1);
  setenv("ZOOM_API_URL", box->api, 1);
  CHECK_CODE(zus_config_set_from_env(config), ZUS_OK);
  CHECK_CODE(zus_client_new(config, &client), ZUS_OK);
  CHECK_CODE(zus_update_status(client, "answer-204+env@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
  zus_client_free(client);
  zus_config_free(config);
}

int main(void) {
  sandbox box;
  sandbox_start(&box, NULL);
  nothing();
  kinds(&box);
  cancels(&box);
  wakes();
  descriptors(&box);
  ends_early(&box);
  many(&box);
  if (FORKS_WITH_THREADS) forks(&box);
  environment(&box);
  sandbox_stop(&box);
  return finish();
}
