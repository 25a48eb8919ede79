/* Batches, cancelling, threads, fork and callbacks, through the C ABI. */
#include <pthread.h>

#include "check.h"
#include "sandbox.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
enum { MANY = 200, THREADS = 32 };

static const char *ids[MANY]; /* user00001@example.com ... */
static char id_text[MANY][32];

/* What a batch reported: per index how often, and with which code. */
typedef struct {
  const zus_client *client; /* for a callback that calls its own client */
  const zus_cancel *cancel; /* triggered after `trigger_after` */
  int calls, stop_after, trigger_after, ok;
  int times[MANY];
  zus_code codes[MANY], re_entered;
  char user[MANY][64];
  pthread_t caller;
  int elsewhere; /* calls on another thread than the batch's */
} seen;

static int32_t on_result(void *userdata, size_t index, const zus_result *result) {
  seen *s = (seen *)userdata;
  s->calls++;
  s->times[index]++;
  s->codes[index] = zus_result_code(result);
  s->ok += s->codes[index] == ZUS_OK;
  snprintf(s->user[index], sizeof s->user[index], "%s", zus_result_user_id(result));
  if (!pthread_equal(pthread_self(), s->caller)) s->elsewhere++;
  if (s->client != NULL) s->re_entered = zus_update_status(s->client, "ada@example.com", ZUS_DEACTIVATE, NULL, NULL);
  if (s->trigger_after != 0 && s->calls == s->trigger_after) zus_cancel_trigger(s->cancel);
  return s->stop_after != 0 && s->calls >= s->stop_after;
}

static void clear(seen *s) {
  memset(s, 0, sizeof *s);
  s->caller = pthread_self();
}

/* Every user with a callback was sent at most once per attempt, and nobody without one. */
static void check_ledger(const sandbox *box, const seen *s, size_t count) {
  size_t i;
  for (i = 0; i < count; i++) {
    long received = ledger(box, ids[i], "received");
    if (!CHECK(s->times[i] <= 1) || !CHECK(s->times[i] == 1 || received == 0) ||
        !CHECK(s->codes[i] != ZUS_OK || s->times[i] == 0 || received == 1))
      printf("    user %u: called %d times, received %ld times\n", (unsigned)i, s->times[i], received);
  }
}

static void batches(void) {
  static const char *const options[] = {"--users", "200", "--delay", "20", NULL};
  static const char *const mixed[] = {"ada@example.com", NULL, "nobody@example.com", " leading@example.com", "", "bad\xFF", "admin@example.com",
                                      "ada@example.com"};
  static const zus_code mixed_codes[] = {ZUS_OK,           ZUS_ERR_NULL, ZUS_ERR_USER_NOT_FOUND, ZUS_ERR_ARGUMENT,
                                         ZUS_ERR_ARGUMENT, ZUS_ERR_UTF8, ZUS_ERR_USER_PROTECTED, ZUS_OK};
  sandbox box;
  zus_client *client;
  static seen s;
  size_t i;

  sandbox_start(&box, options);
  client = client_from(config_for(&box));
  test("a batch: every user once, on the calling thread, several in flight");
  clear(&s);
  CHECK_CODE(zus_update_status_many(client, ids, MANY, ZUS_DEACTIVATE, NULL, on_result, &s), ZUS_OK);
  CHECK_NUMBER(s.calls, MANY);
  CHECK_NUMBER(s.ok, MANY);
  CHECK_NUMBER(s.elsewhere, 0);
  for (i = 0; i < MANY; i++) CHECK_TEXT(s.user[i], ids[i]);
  check_ledger(&box, &s, MANY);
  CHECK_NUMBER(ledger(&box, NULL, "requests"), MANY);
  CHECK(ledger(&box, NULL, "most_in_flight") > 1);
  CHECK(ledger(&box, NULL, "most_in_flight") <= 16);

  test("a batch goes on after ids that can't be, and sends a duplicate twice");
  clear(&s);
  CHECK_CODE(zus_update_status_many(client, mixed, COUNT(mixed), ZUS_DEACTIVATE, NULL, on_result, &s), ZUS_ERR_PARTIAL);
  CHECK_NUMBER(s.calls, COUNT(mixed));
  for (i = 0; i < COUNT(mixed); i++) CHECK_CODE(s.codes[i], mixed_codes[i]);
  CHECK_NUMBER(ledger(&box, "ada@example.com", "received"), 2);

  test("a callback that calls its own client is told REENTRANT");
  clear(&s);
  s.client = client;
  CHECK_CODE(zus_update_status_many(client, ids, 2, ZUS_ACTIVATE, NULL, on_result, &s), ZUS_OK);
  CHECK_CODE(s.re_entered, ZUS_ERR_REENTRANT);
  CHECK_NUMBER(ledger(&box, "ada@example.com", "received"), 2);
  zus_client_free(client);
  sandbox_stop(&box);

  sandbox_start(&box, options);
  client = client_from(config_for(&box));
  test("a callback stops the batch: whoever had none was never sent");
  clear(&s);
  s.stop_after = 10;
  CHECK_CODE(zus_update_status_many(client, ids, MANY, ZUS_DEACTIVATE, NULL, on_result, &s), ZUS_ERR_CANCELLED);
  CHECK(s.calls >= 10 && s.calls <= 10 + 16);
  check_ledger(&box, &s, MANY);
  zus_client_free(client);
  sandbox_stop(&box);

  sandbox_start(&box, options);
  client = client_from(config_for(&box));
  test("a cancel stops the batch: whoever had no callback was never sent");
  {
    zus_cancel *cancel = zus_cancel_new();
    clear(&s);
    s.cancel = cancel;
    s.trigger_after = 10;
    CHECK_CODE(zus_update_status_many(client, ids, MANY, ZUS_DEACTIVATE, cancel, on_result, &s), ZUS_ERR_CANCELLED);
    CHECK(s.calls >= 10 && s.calls <= 10 + 16);
    check_ledger(&box, &s, MANY);
    test("a triggered cancel ends the next calls before they are sent");
    clear(&s);
    CHECK_CODE(zus_update_status_many(client, ids, 2, ZUS_DEACTIVATE, cancel, on_result, &s), ZUS_ERR_CANCELLED);
    CHECK_NUMBER(s.calls, 0);
    CHECK_CODE(zus_update_status(client, "linus@example.com", ZUS_DEACTIVATE, cancel, NULL), ZUS_ERR_CANCELLED);
    CHECK_NUMBER(ledger(&box, "linus@example.com", "received"), 0);
    CHECK_CODE(zus_update_status(client, "linus@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
    zus_cancel_free(cancel);
  }
  zus_client_free(client);
  sandbox_stop(&box);
}

/* What is fatal for the batch ends it, with that code. */
static void early_ends(const sandbox *box) {
  static const struct {
    const char *first;
    zus_code code;
  } table[] = {
      {"answer-401-124+batch@example.com", ZUS_ERR_UNAUTHORIZED},
      {"answer-4711+batch@example.com", ZUS_ERR_FORBIDDEN},
      {"answer-429-daily+batch@example.com", ZUS_ERR_DAILY_LIMIT},
  };
  static seen s;
  size_t i;
  for (i = 0; i < COUNT(table); i++) {
    const char *list[MANY];
    zus_config *config = config_for(box);
    zus_client *client;
    size_t j;
    long before, received = 0;
    for (j = 0; j < MANY; j++) list[j] = ids[j];
    list[0] = table[i].first;
    zus_config_set_concurrency(config, 2);
    client = client_from(config);
    test(table[i].first);
    clear(&s);
    before = ledger(box, NULL, "requests");
    CHECK_CODE(zus_update_status_many(client, list, MANY, ZUS_ACTIVATE, NULL, on_result, &s), table[i].code);
    CHECK_CODE(s.codes[0], table[i].code);
    CHECK(s.calls >= 1 && s.calls < MANY);
    received = ledger(box, NULL, "requests") - before;
    CHECK_NUMBER(received, s.calls);
    zus_client_free(client);
  }
}

static void *trigger_later(void *cancel) {
  sleep_ms(200);
  zus_cancel_trigger((const zus_cancel *)cancel);
  return NULL;
}

static void cancels(const sandbox *box) {
  static const char *const users[] = {"answer-never+cancel@example.com", "answer-drip+cancel@example.com", "answer-drip-body+cancel@example.com",
                                      "answer-slow-60000+cancel@example.com"};
  zus_client *client = client_from(config_for(box));
  size_t i;
  for (i = 0; i < COUNT(users); i++) {
    zus_cancel *cancel = zus_cancel_new();
    zus_result *result = NULL;
    pthread_t thread;
    double took = seconds_now();
    test(users[i]);
    pthread_create(&thread, NULL, trigger_later, cancel);
    CHECK_CODE(zus_update_status(client, users[i], ZUS_DEACTIVATE, cancel, &result), ZUS_ERR_CANCELLED);
    took = seconds_now() - took;
    CHECK(took >= 0.19 && took < 3);
    CHECK_CODE(zus_result_code(result), ZUS_ERR_CANCELLED);
    CHECK_NUMBER(zus_result_attempts(result), 1);
    pthread_join(thread, NULL);
    zus_result_free(result);
    zus_cancel_free(cancel);
  }
  test("the client is as good as before");
  CHECK_CODE(zus_update_status(client, "answer-204+after@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
  zus_client_free(client);
}

static const zus_client *stuck_client;

static void *stuck_call(void *cancel) {
  zus_code code = zus_update_status(stuck_client, "answer-never+many@example.com", ZUS_DEACTIVATE, (const zus_cancel *)cancel, NULL);
  return (void *)(intptr_t)(code == ZUS_ERR_CANCELLED);
}

static void cancel_many(const sandbox *box) {
  const char *list[MANY];
  pthread_t thread[8], trigger;
  zus_client *client = client_from(config_for(box));
  zus_cancel *cancel = zus_cancel_new();
  static seen s;
  double took;
  size_t i;
  test("one cancel ends the calls of 8 threads, and no call of another cancel");
  stuck_client = client;
  took = seconds_now();
  for (i = 0; i < COUNT(thread); i++) pthread_create(&thread[i], NULL, stuck_call, cancel);
  pthread_create(&trigger, NULL, trigger_later, cancel);
  CHECK_CODE(zus_update_status(client, "answer-slow-500+many@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
  for (i = 0; i < COUNT(thread); i++) {
    void *cancelled;
    pthread_join(thread[i], &cancelled);
    CHECK(cancelled != NULL);
  }
  pthread_join(trigger, NULL);
  CHECK(seconds_now() - took < 5);
  zus_cancel_free(cancel);

  test("a cancel ends a batch whose users all hang, and they are reported");
  cancel = zus_cancel_new();
  for (i = 0; i < MANY; i++) list[i] = "answer-never+batch@example.com";
  clear(&s);
  pthread_create(&trigger, NULL, trigger_later, cancel);
  took = seconds_now();
  CHECK_CODE(zus_update_status_many(client, list, MANY, ZUS_DEACTIVATE, cancel, on_result, &s), ZUS_ERR_CANCELLED);
  CHECK(seconds_now() - took < 5);
  pthread_join(trigger, NULL);
  CHECK_NUMBER(s.calls, ledger(box, "answer-never+batch@example.com", "received"));
  CHECK(s.calls > 0 && s.calls <= 16);
  for (i = 0; i < MANY; i++) CHECK(s.times[i] == 0 || s.codes[i] == ZUS_ERR_CANCELLED);
  zus_cancel_free(cancel);
  zus_client_free(client);
}

static void *thirty_calls(void *client) {
  static const struct {
    const char *user;
    zus_code code;
  } table[] = {{"answer-204+threads@example.com", ZUS_OK}, {"nobody@example.com", ZUS_ERR_USER_NOT_FOUND}, {"admin@example.com", ZUS_ERR_USER_PROTECTED}};
  intptr_t wrong = 0;
  int i;
  for (i = 0; i < 30; i++) {
    zus_result *result = NULL;
    zus_code code = zus_update_status((const zus_client *)client, table[i % 3].user, ZUS_DEACTIVATE, NULL, &result);
    wrong += code != table[i % 3].code || strcmp(zus_result_user_id(result), table[i % 3].user) != 0;
    zus_result_free(result);
  }
  return (void *)wrong;
}

static void threads(const sandbox *box) {
  pthread_t thread[THREADS];
  zus_client *client = client_from(config_for(box));
  int i;
  test("32 threads on one client");
  for (i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, thirty_calls, client);
  for (i = 0; i < THREADS; i++) {
    void *wrong;
    pthread_join(thread[i], &wrong);
    CHECK_NUMBER((intptr_t)wrong, 0);
  }
  CHECK_NUMBER(ledger(box, "answer-204+threads@example.com", "received"), THREADS * 10);
  zus_client_free(client);
}

static void forks(const sandbox *box) {
  zus_client *client = client_from(config_for(box));
  int status = 0;
  pid_t child;
  test("after fork the parent's client says FORKED, and a new one works");
  CHECK_CODE(zus_update_status(client, "answer-204+fork@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
  child = fork();
  if (child == 0) {
    int bad = 0;
    zus_result *result = NULL;
    zus_client *mine;
    static seen s;
    clear(&s);
    bad += zus_update_status(client, "answer-204+fork@example.com", ZUS_DEACTIVATE, NULL, &result) != ZUS_ERR_FORKED;
    bad += zus_result_code(result) != ZUS_ERR_FORKED;
    bad += strcmp(zus_result_user_id(result), "answer-204+fork@example.com") != 0;
    zus_result_free(result);
    bad += zus_update_status_many(client, ids, 2, ZUS_DEACTIVATE, NULL, on_result, &s) != ZUS_ERR_FORKED || s.calls != 0;
    bad += zus_check_credentials(client, NULL, NULL) != ZUS_ERR_FORKED;
    zus_client_free(client); /* of use to nobody, but no harm */
    mine = client_from(config_for(box));
    bad += zus_update_status(mine, "answer-204+child@example.com", ZUS_DEACTIVATE, NULL, NULL) != ZUS_OK;
    zus_client_free(mine);
    _exit(bad);
  }
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK_NUMBER(WEXITSTATUS(status), 0);
  CHECK_CODE(zus_update_status(client, "answer-204+fork@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
  CHECK_NUMBER(ledger(box, "answer-204+fork@example.com", "received"), 2);
  CHECK_NUMBER(ledger(box, "answer-204+child@example.com", "received"), 1);
  zus_client_free(client);
}

/* A token callback, and all that was asked of it. */
typedef struct {
  const char *first, *then; /* the token; once that is refused, the next */
  const zus_client *client; /* set: calls its own client */
  zus_code re_entered;
  int calls, refusals, largest;
} tokens;

static size_t give_token(void *userdata, int32_t refused, char *buffer, size_t capacity) {
  tokens *t = (tokens *)userdata;
  const char *token;
  t->calls++;
  if (refused) t->refusals++;
  if ((int)capacity > t->largest) t->largest = (int)capacity;
  if (t->client != NULL) t->re_entered = zus_update_status(t->client, "ada@example.com", ZUS_DEACTIVATE, NULL, NULL);
  token = t->refusals > 0 ? t->then : t->first;
  if (token == NULL) return 0;
  if (strlen(token) <= capacity) memcpy(buffer, token, strlen(token)); /* else: a larger buffer, please */
  return strlen(token);
}

static void token_callbacks(const sandbox *box) {
  static char long_token[6001]; /* the first buffer is smaller, the largest is 8,192 */
  tokens t = {"sandbox-token", NULL, NULL, ZUS_OK, 0, 0, 0};
  zus_config *config = config_for(box);
  zus_client *client;
  zus_result *result = NULL;
  zus_config_set_token_provider(config, give_token, &t);
  client = client_from(config);
  test("a token callback: asked once, then remembered");
  CHECK_NUMBER(t.calls, 0);
  CHECK_CODE(zus_update_status(client, "answer-204+fn@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
  CHECK_CODE(zus_update_status(client, "answer-204+fn@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
  CHECK_NUMBER(t.calls, 1);
  CHECK_NUMBER(t.refusals, 0);
  zus_client_free(client);

  test("a rejected token is asked for again, and told so");
  memset(&t, 0, sizeof t);
  t.first = "expired", t.then = "sandbox-token";
  config = config_for(box);
  zus_config_set_token_provider(config, give_token, &t);
  client = client_from(config);
  CHECK_CODE(zus_update_status(client, "answer-204+fn2@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
  CHECK_NUMBER(t.calls, 2);
  CHECK_NUMBER(t.refusals, 1);
  zus_client_free(client);

  test("a token refused twice is UNAUTHORIZED, after one new token");
  memset(&t, 0, sizeof t);
  t.first = "expired", t.then = "expired-too";
  config = config_for(box);
  zus_config_set_token_provider(config, give_token, &t);
  client = client_from(config);
  CHECK_CODE(zus_update_status(client, "answer-204+fn3@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_ERR_UNAUTHORIZED);
  CHECK_NUMBER(t.refusals, 1);
  zus_client_free(client);

  test("a long token gets a larger buffer");
  memset(long_token, 'x', sizeof long_token - 1);
  memset(&t, 0, sizeof t);
  t.first = long_token, t.then = "sandbox-token";
  config = config_for(box);
  zus_config_set_token_provider(config, give_token, &t);
  client = client_from(config);
  CHECK_CODE(zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, &result), ZUS_OK); /* refused, then the good one */
  CHECK(t.largest >= 6000);
  zus_result_free(result);
  zus_client_free(client);

  test("no token, or one that can't be, is TOKEN, and nothing is sent");
  memset(&t, 0, sizeof t);
  config = config_for(box);
  zus_config_set_token_provider(config, give_token, &t);
  client = client_from(config);
  CHECK_CODE(zus_update_status(client, "answer-204+none@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_ERR_TOKEN);
  t.first = "bro\nken";
  CHECK_CODE(zus_update_status(client, "answer-204+none@example.com", ZUS_DEACTIVATE, NULL, &result), ZUS_ERR_TOKEN);
  CHECK(strstr(zus_result_message(result), "bro") == NULL);
  zus_result_free(result);
  t.first = "bad\xFFutf8";
  CHECK_CODE(zus_update_status(client, "answer-204+none@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_ERR_TOKEN);
  CHECK_NUMBER(ledger(box, "answer-204+none@example.com", "received"), 0);
  zus_client_free(client);

  test("a token callback that calls its own client is told REENTRANT");
  memset(&t, 0, sizeof t);
  t.first = "sandbox-token";
  config = config_for(box);
  zus_config_set_token_provider(config, give_token, &t);
  client = client_from(config);
  t.client = client;
  CHECK_CODE(zus_update_status(client, "answer-204+busy@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
  CHECK_CODE(t.re_entered, ZUS_ERR_REENTRANT);
  zus_client_free(client);
}

typedef struct {
  const zus_client *client;
  zus_code re_entered;
  int lines, worst, most, secrets;
} logged;

static void on_log(void *userdata, int32_t level, const char *message) {
  logged *l = (logged *)userdata;
  l->lines++;
  if (l->worst == 0 || level < l->worst) l->worst = level;
  if (level > l->most) l->most = level;
  if (strstr(message, "sandbox-token") != NULL || strstr(message, "sandbox-secret") != NULL) l->secrets++;
  if (l->client != NULL) l->re_entered = zus_update_status(l->client, "ada@example.com", ZUS_DEACTIVATE, NULL, NULL);
}

static void logs(const sandbox *box) {
  logged l;
  int level;
  for (level = 1; level <= 4; level++) {
    char name[64];
    zus_config *config = config_for(box);
    zus_client *client;
    memset(&l, 0, sizeof l);
    snprintf(name, sizeof name, "a log at level %d says nothing of a higher one", level);
    test(name);
    zus_config_set_log(config, level, on_log, &l);
    client = client_from(config);
    zus_update_status(client, "answer-204+log@example.com", ZUS_DEACTIVATE, NULL, NULL);
    zus_update_status(client, "nobody@example.com", ZUS_DEACTIVATE, NULL, NULL);
    CHECK(l.lines > 0);
    CHECK(l.most <= level);
    CHECK(l.worst >= 1);
    CHECK_NUMBER(l.secrets, 0);
    if (level == 4) CHECK_NUMBER(l.most, 4);
    zus_client_free(client);
  }
  {
    zus_config *config = config_for(box);
    zus_client *client;
    memset(&l, 0, sizeof l);
    test("a log that calls its own client is told REENTRANT");
    zus_config_set_log(config, 4, on_log, &l);
    client = client_from(config);
    l.client = client;
    CHECK_CODE(zus_update_status(client, "answer-204+log@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
    CHECK_CODE(l.re_entered, ZUS_ERR_REENTRANT);
    zus_client_free(client);
  }
}

static zus_client *oauth_client(const sandbox *box, const char *account, const char *secret, logged *l) {
  zus_config *config = config_for(box);
  zus_config_set_oauth(config, account, "sandbox-client", secret);
  zus_config_set_log(config, 4, on_log, l);
  return client_from(config);
}

static void oauth(const sandbox *box) {
  logged l;
  zus_result *result = NULL;
  zus_client *client;
  long before = ledger(box, NULL, "token_requests");
  static seen s;
  memset(&l, 0, sizeof l);

  test("OAuth: one token for many calls, shared by 32 threads");
  client = oauth_client(box, "sandbox-account", "sandbox-secret", &l);
  CHECK_NUMBER(ledger(box, NULL, "token_requests"), before); /* making a client sends nothing */
  clear(&s);
  CHECK_CODE(zus_update_status_many(client, ids, 50, ZUS_ACTIVATE, NULL, on_result, &s), ZUS_OK);
  CHECK_NUMBER(ledger(box, NULL, "token_requests"), before + 1);
  CHECK_NUMBER(l.secrets, 0);

  test("OAuth: tokens that expire midway are refreshed once");
  sandbox_control(box, "POST", "/sandbox/expire-tokens", NULL, 0);
  clear(&s);
  CHECK_CODE(zus_update_status_many(client, ids, 50, ZUS_ACTIVATE, NULL, on_result, &s), ZUS_OK);
  CHECK_NUMBER(s.ok, 50);
  CHECK_NUMBER(ledger(box, NULL, "token_requests"), before + 2);

  test("check_credentials: the scopes, not the token, and nobody is touched");
  CHECK_CODE(zus_check_credentials(client, NULL, &result), ZUS_OK);
  CHECK_CONTAINS(zus_result_body(result, NULL), "\"scope\":");
  CHECK_CONTAINS(zus_result_body(result, NULL), "\"expires_in\":");
  CHECK(strstr(zus_result_body(result, NULL), "access_token") == NULL);
  zus_result_free(result);
  zus_client_free(client);

  test("a wrong secret, and a wrong account, are TOKEN, with the reason and no secret");
  client = oauth_client(box, "sandbox-account", "wrong-secret", &l);
  CHECK_CODE(zus_update_status(client, "answer-204+oauth@example.com", ZUS_DEACTIVATE, NULL, &result), ZUS_ERR_TOKEN);
  CHECK_CONTAINS(zus_result_message(result), "invalid_client");
  CHECK(strstr(zus_result_message(result), "wrong-secret") == NULL);
  zus_result_free(result);
  clear(&s);
  CHECK_CODE(zus_update_status_many(client, ids, 50, ZUS_DEACTIVATE, NULL, on_result, &s), ZUS_ERR_TOKEN);
  CHECK(s.ok == 0 && s.calls < 50);
  zus_client_free(client);
  client = oauth_client(box, "wrong-account", "sandbox-secret", &l);
  CHECK_CODE(zus_check_credentials(client, NULL, &result), ZUS_ERR_TOKEN);
  CHECK_CODE(zus_result_code(result), ZUS_ERR_TOKEN);
  zus_result_free(result);
  zus_client_free(client);
  CHECK_NUMBER(ledger(box, "answer-204+oauth@example.com", "received"), 0);
}

static void reads(const sandbox *box) {
  static const char *const users[] = {"pending@example.com", "nobody@example.com", "seatless@example.com"};
  zus_client *client = client_from(config_for(box));
  zus_config *config;
  zus_result *result = NULL;
  static seen s;

  test("a user is read: active, inactive, pending, or not there");
  CHECK_CODE(zus_update_status(client, "linus-read@example.com", ZUS_DEACTIVATE, NULL, &result), ZUS_OK);
  CHECK_NUMBER(zus_result_delivery(result), ZUS_DELIVERY_RESPONDED);
  CHECK_NUMBER(zus_result_user_status(result), ZUS_STATUS_UNKNOWN); /* it was not read */
  zus_result_free(result);
  CHECK_CODE(zus_get_user_status(client, "linus-read@example.com", NULL, &result), ZUS_OK);
  CHECK_NUMBER(zus_result_user_status(result), ZUS_STATUS_INACTIVE);
  CHECK_CONTAINS(zus_result_body(result, NULL), "\"email\"");
  zus_result_free(result);
  CHECK_CODE(zus_get_user_status(client, "ada-read@example.com", NULL, &result), ZUS_OK);
  CHECK_NUMBER(zus_result_user_status(result), ZUS_STATUS_ACTIVE);
  zus_result_free(result);
  CHECK_CODE(zus_get_user_status(client, "nobody@example.com", NULL, &result), ZUS_ERR_USER_NOT_FOUND);
  CHECK_NUMBER(zus_result_user_status(result), ZUS_STATUS_UNKNOWN);
  zus_result_free(result);

  test("many are read, each with a call of its own");
  clear(&s);
  CHECK_CODE(zus_get_user_status_many(client, users, 3, NULL, on_result, &s), ZUS_ERR_PARTIAL);
  CHECK_NUMBER(s.calls, 3);
  CHECK_CODE(s.codes[0], ZUS_OK);
  CHECK_CODE(s.codes[1], ZUS_ERR_USER_NOT_FOUND);
  zus_client_free(client);

  test("a verified update is read until it shows; one that never does is NOT_VERIFIED");
  config = config_for(box);
  CHECK_CODE(zus_config_set_verify(config, 600), ZUS_OK);
  client = client_from(config);
  CHECK_CODE(zus_update_status(client, "ada-verify@example.com", ZUS_DEACTIVATE, NULL, &result), ZUS_OK);
  CHECK_NUMBER(zus_result_user_status(result), ZUS_STATUS_INACTIVE);
  zus_result_free(result);
  CHECK_CODE(zus_update_status(client, "ghost-verify@example.com", ZUS_DEACTIVATE, NULL, &result), ZUS_ERR_NOT_VERIFIED);
  CHECK_NUMBER(zus_result_user_status(result), ZUS_STATUS_ACTIVE);
  zus_result_free(result);
  zus_client_free(client);

  test("an attempt ends after its own time, and the call with it where there is no other");
  config = config_for(box);
  CHECK_CODE(zus_config_set_attempt_timeout(config, 300), ZUS_OK);
  client = client_from(config);
  {
    double took = seconds_now();
    CHECK_CODE(zus_update_status(client, "answer-never+attempt@example.com", ZUS_DEACTIVATE, NULL, &result), ZUS_ERR_TIMEOUT);
    CHECK(seconds_now() - took < 10);
  }
  CHECK_NUMBER(zus_result_delivery(result), ZUS_DELIVERY_UNKNOWN);
  zus_result_free(result);
  zus_client_free(client);
}

int main(void) {
  static const char *const options[] = {"--users", "200", NULL};
  sandbox box;
  int i;
  for (i = 0; i < MANY; i++) {
    snprintf(id_text[i], sizeof id_text[i], "user%05d@example.com", i + 1);
    ids[i] = id_text[i];
  }
  batches();
  sandbox_start(&box, options);
  early_ends(&box);
  cancels(&box);
  cancel_many(&box);
  threads(&box);
  forks(&box);
  token_callbacks(&box);
  logs(&box);
  oauth(&box);
  reads(&box);
  sandbox_stop(&box);
  return finish();
}
