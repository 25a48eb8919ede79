/* What the C ABI makes of every argument that a program can get wrong: a code, never a crash, and nothing is sent. */
#include <stdint.h>

#include "check.h"
#include "sandbox.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char BAD_UTF8[] = "ada\xC3\x28";
static const char CUT_UTF8[] = "ada\xE2\x82";

/* Setters that take one string, by name. */
static zus_code set_token(zus_config *c, const char *s) { return zus_config_set_token(c, s); }
static zus_code set_account(zus_config *c, const char *s) { return zus_config_set_oauth(c, s, "id", "secret"); }
static zus_code set_client_id(zus_config *c, const char *s) { return zus_config_set_oauth(c, "account", s, "secret"); }
static zus_code set_secret(zus_config *c, const char *s) { return zus_config_set_oauth(c, "account", "id", s); }
static zus_code set_api(zus_config *c, const char *s) { return zus_config_set_urls(c, s, NULL); }
static zus_code set_oauth(zus_config *c, const char *s) { return zus_config_set_urls(c, NULL, s); }
static zus_code set_proxy(zus_config *c, const char *s) { return zus_config_set_proxy(c, s); }
static zus_code set_agent(zus_config *c, const char *s) { return zus_config_set_user_agent(c, s); }

static const struct {
  const char *name;
  zus_code (*set)(zus_config *, const char *);
  const char *good;
  zus_code null, empty;
} strings[] = {
    {"set_token", set_token, "eyJ.a-b_c.d~e+f/g=", ZUS_ERR_NULL, ZUS_ERR_ARGUMENT},
    {"set_oauth account", set_account, "account", ZUS_ERR_NULL, ZUS_ERR_ARGUMENT},
    {"set_oauth client id", set_client_id, "client", ZUS_ERR_NULL, ZUS_ERR_ARGUMENT},
    {"set_oauth secret", set_secret, "s:e c\xC3\xA9", ZUS_ERR_NULL, ZUS_ERR_ARGUMENT},
    {"set_urls api", set_api, "https://api.zoomgov.com/v2", ZUS_OK, ZUS_ERR_ARGUMENT}, /* NULL keeps the one it has */
    {"set_urls oauth", set_oauth, "https://zoomgov.com/oauth/token", ZUS_OK, ZUS_ERR_ARGUMENT},
    {"set_proxy", set_proxy, "http://user:pw@proxy.example.com:8080", ZUS_ERR_NULL, ZUS_OK}, /* "" is no proxy */
    {"set_user_agent", set_agent, "offboarding/1.0 (it@example.com)", ZUS_ERR_NULL, ZUS_ERR_ARGUMENT},
};

static void string_setters(void) {
  static const char *const controls[] = {"a\rb", "a\nb", "a\tb", "a\x01", "a\x7F", "https://api.zoom.us/\r\nX: y", "a\xC2\x85"};
  size_t i, j;
  for (i = 0; i < COUNT(strings); i++) {
    zus_config *config = zus_config_new();
    test(strings[i].name);
    CHECK_CODE(strings[i].set(config, strings[i].good), ZUS_OK);
    CHECK_CODE(strings[i].set(NULL, strings[i].good), ZUS_ERR_NULL);
    CHECK_CODE(strings[i].set(config, NULL), strings[i].null);
    CHECK_CODE(strings[i].set(config, ""), strings[i].empty);
    CHECK_CODE(strings[i].set(config, BAD_UTF8), ZUS_ERR_UTF8);
    CHECK_CODE(strings[i].set(config, CUT_UTF8), ZUS_ERR_UTF8);
    for (j = 0; j < COUNT(controls); j++)
      if (!CHECK_CODE(strings[i].set(config, controls[j]), ZUS_ERR_ARGUMENT)) printf("    control character %u\n", (unsigned)j);
    zus_config_free(config);
  }
}

/* tests/hostile.rs has every edge of these. */
static void numbers(void) {
  const uint32_t day = 24u * 60 * 60 * 1000;
  zus_config *c = zus_config_new();
  test("setters of numbers: NULL, the largest, and one more");
  CHECK_CODE(zus_config_set_timeouts(NULL, 1, 1), ZUS_ERR_NULL);
  CHECK_CODE(zus_config_set_timeouts(c, day, day), ZUS_OK);
  CHECK_CODE(zus_config_set_timeouts(c, 1000, day + 1), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_retry(NULL, 1, 1, 1), ZUS_ERR_NULL);
  CHECK_CODE(zus_config_set_retry(c, 100, day, day), ZUS_OK);
  CHECK_CODE(zus_config_set_retry(c, 101, 1, 1), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_rate(NULL, 1, 1), ZUS_ERR_NULL);
  CHECK_CODE(zus_config_set_rate(c, 1000000, day), ZUS_OK);
  CHECK_CODE(zus_config_set_rate(c, 1000001, 1000), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_concurrency(NULL, 1), ZUS_ERR_NULL);
  CHECK_CODE(zus_config_set_concurrency(c, 256), ZUS_OK);
  CHECK_CODE(zus_config_set_concurrency(c, 257), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_encoding(NULL, ZUS_ENCODING_FORM), ZUS_ERR_NULL);
  CHECK_CODE(zus_config_set_encoding(c, ZUS_ENCODING_JSON), ZUS_OK);
  CHECK_CODE(zus_config_set_encoding(c, -1), ZUS_ERR_ARGUMENT);
  zus_config_free(c);
}

static size_t no_token(void *userdata, int32_t refused, char *buffer, size_t capacity) {
  (void)userdata, (void)refused, (void)buffer, (void)capacity;
  return 0;
}

static void no_log(void *userdata, int32_t level, const char *message) { (void)userdata, (void)level, (void)message; }

static void other_setters(void) {
  static const char garbled[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  static const char cut[] = "-----BEGIN CERTIFICATE-----\nAAAA\n";
  char long_value[4097];
  zus_config *c = zus_config_new();
  memset(long_value, 'a', sizeof long_value - 1);
  long_value[sizeof long_value - 1] = '\0';

  test("set_ca_pem: certificates, or nothing changes");
  CHECK_CODE(zus_config_set_ca_pem(NULL, (const uint8_t *)garbled, sizeof garbled - 1), ZUS_ERR_NULL);
  CHECK_CODE(zus_config_set_ca_pem(c, NULL, 10), ZUS_ERR_NULL);
  CHECK_CODE(zus_config_set_ca_pem(c, (const uint8_t *)"", 0), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_ca_pem(c, (const uint8_t *)"no PEM", 6), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_ca_pem(c, (const uint8_t *)"\xFF\x00\xFE", 3), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_ca_pem(c, (const uint8_t *)garbled, sizeof garbled - 1), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_ca_pem(c, (const uint8_t *)cut, sizeof cut - 1), ZUS_ERR_ARGUMENT);

  test("set_token_provider, set_log: a function, and a level from 1 to 4");
  CHECK_CODE(zus_config_set_token_provider(NULL, no_token, NULL), ZUS_ERR_NULL);
  CHECK_CODE(zus_config_set_token_provider(c, NULL, NULL), ZUS_ERR_NULL);
  CHECK_CODE(zus_config_set_token_provider(c, no_token, NULL), ZUS_OK);
  CHECK_CODE(zus_config_set_log(NULL, 4, no_log, NULL), ZUS_ERR_NULL);
  CHECK_CODE(zus_config_set_log(c, 1, no_log, NULL), ZUS_OK);
  CHECK_CODE(zus_config_set_log(c, 4, no_log, NULL), ZUS_OK);
  CHECK_CODE(zus_config_set_log(c, 0, no_log, NULL), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_log(c, 5, no_log, NULL), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_log(c, -1, no_log, NULL), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_log(c, 4, NULL, NULL), ZUS_OK); /* silent again */

  test("values that are too long, or could not be told apart on the wire");
  CHECK_CODE(zus_config_set_user_agent(c, long_value), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_oauth(c, long_value, "id", "secret"), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_oauth(c, "account", "i:d", "secret"), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_token(c, "two words"), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_token(c, " leading"), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_config_set_proxy(c, "gopher://proxy.example.com"), ZUS_ERR_ARGUMENT);
  zus_config_free(c);
}

static void clients(void) {
  zus_config *config = zus_config_new();
  zus_client *const nowhere = (zus_client *)(void *)&config;
  zus_client *client = nowhere;
  test("client_new: NULLs, and no credentials");
  CHECK_CODE(zus_client_new(config, &client), ZUS_ERR_CREDENTIALS);
  CHECK(client == NULL);
  client = nowhere;
  CHECK_CODE(zus_client_new(NULL, &client), ZUS_ERR_NULL);
  CHECK(client == NULL);
  CHECK_CODE(zus_client_new(config, NULL), ZUS_ERR_NULL);
  CHECK_CODE(zus_config_set_token(config, "token"), ZUS_OK);
  CHECK_CODE(zus_client_new(config, NULL), ZUS_ERR_NULL);
  CHECK_CODE(zus_client_new(config, &client), ZUS_OK);
  CHECK(client != NULL);
  zus_client_free(client);
  zus_config_free(config);

  test("freeing and raising NULL");
  zus_config_free(NULL);
  zus_client_free(NULL);
  zus_cancel_free(NULL);
  zus_cancel_trigger(NULL);
  zus_result_free(NULL);
}

static void updates(const sandbox *box) {
  static char long_id[1026];
  const struct {
    const char *what, *id;
    zus_action action;
    zus_code code;
  } table[] = {
      {"NULL", NULL, ZUS_ACTIVATE, ZUS_ERR_NULL},
      {"empty", "", ZUS_ACTIVATE, ZUS_ERR_ARGUMENT},
      {"leading whitespace", " ada@example.com", ZUS_ACTIVATE, ZUS_ERR_ARGUMENT},
      {"trailing whitespace", "ada@example.com ", ZUS_ACTIVATE, ZUS_ERR_ARGUMENT},
      {"a no-break space after", "ada@example.com\xC2\xA0", ZUS_ACTIVATE, ZUS_ERR_ARGUMENT},
      {"whitespace only", "   ", ZUS_ACTIVATE, ZUS_ERR_ARGUMENT},
      {"a line end", "ada@example.com\n", ZUS_ACTIVATE, ZUS_ERR_ARGUMENT},
      {"CR LF inside", "ada\r\nX-Admin: 1", ZUS_ACTIVATE, ZUS_ERR_ARGUMENT},
      {"DEL", "ada\x7F@example.com", ZUS_ACTIVATE, ZUS_ERR_ARGUMENT},
      {"dot", ".", ZUS_ACTIVATE, ZUS_ERR_ARGUMENT},
      {"dot dot", "..", ZUS_ACTIVATE, ZUS_ERR_ARGUMENT},
      {"bad UTF-8", BAD_UTF8, ZUS_ACTIVATE, ZUS_ERR_UTF8},
      {"UTF-8 cut short", CUT_UTF8, ZUS_ACTIVATE, ZUS_ERR_UTF8},
      {"1025 bytes", long_id, ZUS_ACTIVATE, ZUS_ERR_ARGUMENT},
      {"action 0", "ada@example.com", 0, ZUS_ERR_ARGUMENT},
      {"action 5", "ada@example.com", 5, ZUS_ERR_ARGUMENT},
      {"action -1", "ada@example.com", -1, ZUS_ERR_ARGUMENT},
      {"action INT32_MAX", "ada@example.com", INT32_MAX, ZUS_ERR_ARGUMENT},
      {"action INT32_MIN", "ada@example.com", INT32_MIN, ZUS_ERR_ARGUMENT},
  };
  zus_client *client = client_from(config_for(box));
  zus_result *result;
  size_t i;
  memset(long_id, 'a', sizeof long_id - 1);
  for (i = 0; i < COUNT(table); i++) {
    result = NULL;
    test(table[i].what);
    CHECK_CODE(zus_update_status(client, table[i].id, table[i].action, NULL, &result), table[i].code);
    CHECK_CODE(zus_update_status(client, table[i].id, table[i].action, NULL, NULL), table[i].code);
    if (result != NULL) { /* then it tells the same, in words */
      CHECK_CODE(zus_result_code(result), table[i].code);
      CHECK(*zus_result_message(result) != '\0');
      CHECK_NUMBER(zus_result_attempts(result), 0);
      CHECK_NUMBER(zus_result_http_status(result), 0);
    }
    zus_result_free(result);
  }

  test("update_status, check_credentials: no client");
  result = (zus_result *)(void *)client;
  CHECK_CODE(zus_update_status(NULL, "ada@example.com", ZUS_ACTIVATE, NULL, &result), ZUS_ERR_NULL);
  if (result != NULL) CHECK_CODE(zus_result_code(result), ZUS_ERR_NULL);
  zus_result_free(result);
  CHECK_CODE(zus_update_status(NULL, NULL, 0, NULL, NULL), ZUS_ERR_NULL);
  result = (zus_result *)(void *)client;
  CHECK_CODE(zus_check_credentials(NULL, NULL, &result), ZUS_ERR_NULL);
  if (result != NULL) CHECK_CODE(zus_result_code(result), ZUS_ERR_NULL);
  zus_result_free(result);
  CHECK_CODE(zus_check_credentials(NULL, NULL, NULL), ZUS_ERR_NULL);
  CHECK_CODE(zus_check_credentials(client, NULL, NULL), ZUS_OK); /* a static token: there is nothing to obtain, and nothing is sent */

  test("nothing of all this was sent");
  CHECK_NUMBER(ledger(box, NULL, "requests"), 0);
  zus_client_free(client);
}

static int32_t count_calls(void *userdata, size_t index, const zus_result *result) {
  (void)index, (void)result;
  ++*(int *)userdata;
  return 0;
}

static void batches(const sandbox *box) {
  static const char *const ids[] = {"ada@example.com"};
  zus_client *client = client_from(config_for(box));
  int calls = 0;
  test("update_status_many: NULLs and unknown actions");
  CHECK_CODE(zus_update_status_many(NULL, ids, 1, ZUS_ACTIVATE, NULL, count_calls, &calls), ZUS_ERR_NULL);
  CHECK_CODE(zus_update_status_many(client, NULL, 1, ZUS_ACTIVATE, NULL, count_calls, &calls), ZUS_ERR_NULL);
  CHECK_CODE(zus_update_status_many(client, ids, 1, ZUS_ACTIVATE, NULL, NULL, NULL), ZUS_ERR_NULL);
  CHECK_CODE(zus_update_status_many(client, ids, 1, 0, NULL, count_calls, &calls), ZUS_ERR_ARGUMENT);
  CHECK_CODE(zus_update_status_many(client, ids, 1, 5, NULL, count_calls, &calls), ZUS_ERR_ARGUMENT);
  CHECK_NUMBER(calls, 0);
  test("update_status_many: an empty list is done");
  CHECK_CODE(zus_update_status_many(client, ids, 0, ZUS_ACTIVATE, NULL, count_calls, &calls), ZUS_OK);
  CHECK_CODE(zus_update_status_many(client, NULL, 0, ZUS_ACTIVATE, NULL, count_calls, &calls), ZUS_OK);
  CHECK_NUMBER(calls, 0);
  CHECK_NUMBER(ledger(box, NULL, "requests"), 0);
  zus_client_free(client);
}

static void getters(const sandbox *box) {
  size_t length = 99;
  zus_client *client = client_from(config_for(box));
  zus_result *result = NULL;
  test("getters of no result");
  CHECK_CODE(zus_result_code(NULL), ZUS_ERR_NULL);
  CHECK_NUMBER(zus_result_http_status(NULL), 0);
  CHECK_NUMBER(zus_result_zoom_code(NULL), 0);
  CHECK_NUMBER(zus_result_attempts(NULL), 0);
  CHECK_NUMBER(zus_result_retry_after(NULL), -1);
  CHECK_TEXT(zus_result_message(NULL), "");
  CHECK_TEXT(zus_result_user_id(NULL), "");
  CHECK_TEXT(zus_result_tracking_id(NULL), "");
  CHECK_TEXT(zus_result_header(NULL, "date"), "");
  CHECK_TEXT(zus_result_body(NULL, &length), "");
  CHECK_NUMBER(length, 0);
  CHECK_TEXT(zus_result_body(NULL, NULL), "");

  test("header and body of a result");
  CHECK_CODE(zus_update_status(client, "nobody@example.com", ZUS_DEACTIVATE, NULL, &result), ZUS_ERR_USER_NOT_FOUND);
  CHECK_TEXT(zus_result_header(result, NULL), "");
  CHECK_TEXT(zus_result_header(result, ""), "");
  CHECK_TEXT(zus_result_header(result, "no-such-header"), "");
  CHECK_TEXT(zus_result_header(result, BAD_UTF8), "");
  CHECK_TEXT(zus_result_header(result, "a b\r\n"), "");
  CHECK_TEXT(zus_result_header(result, "x-ratelimit-category"), "Light");
  CHECK_TEXT(zus_result_header(result, "X-RateLimit-Category"), "Light");
  CHECK_TEXT(zus_result_tracking_id(result), zus_result_header(result, "X-Zm-TrackingId"));
  CHECK(zus_result_body(result, &length)[length] == '\0' && length > 0);
  CHECK_CONTAINS(zus_result_body(result, NULL), "\"code\":1001");
  CHECK(zus_result_body(result, NULL) == zus_result_body(result, &length)); /* borrowed, not made again */
  CHECK_TEXT(zus_result_user_id(result), "nobody@example.com");
  zus_result_free(result);
  zus_client_free(client);
}

static void codes(void) {
  static const struct {
    zus_code code;
    int32_t number;
    const char *name;
  } table[] = {
#define CODE(name, number) {name, number, #name}
      CODE(ZUS_OK, 0), CODE(ZUS_ERR_NULL, 1), CODE(ZUS_ERR_UTF8, 2), CODE(ZUS_ERR_ARGUMENT, 3), CODE(ZUS_ERR_CREDENTIALS, 4),
      CODE(ZUS_ERR_FORKED, 5), CODE(ZUS_ERR_REENTRANT, 6), CODE(ZUS_ERR_RESOLVE, 20), CODE(ZUS_ERR_CONNECT, 21),
      CODE(ZUS_ERR_TLS, 22), CODE(ZUS_ERR_TIMEOUT, 23), CODE(ZUS_ERR_PROXY, 24), CODE(ZUS_ERR_IO, 25),
      CODE(ZUS_ERR_PROTOCOL, 26), CODE(ZUS_ERR_TOKEN, 40), CODE(ZUS_ERR_UNAUTHORIZED, 41), CODE(ZUS_ERR_FORBIDDEN, 42),
      CODE(ZUS_ERR_USER_NOT_FOUND, 43), CODE(ZUS_ERR_USER_PROTECTED, 44), CODE(ZUS_ERR_USER_BUSY, 45),
      CODE(ZUS_ERR_USER_LIMIT, 46), CODE(ZUS_ERR_RATE_LIMITED, 47), CODE(ZUS_ERR_DAILY_LIMIT, 48),
      CODE(ZUS_ERR_REJECTED, 49), CODE(ZUS_ERR_SERVER, 50), CODE(ZUS_ERR_ENDPOINT, 52), CODE(ZUS_ERR_CANCELLED, 70),
      CODE(ZUS_ERR_PARTIAL, 71), CODE(ZUS_ERR_PANIC, 99),
#undef CODE
  };
  char version[64];
  size_t i;
  for (i = 0; i < COUNT(table); i++) {
    test(table[i].name);
    CHECK_NUMBER(table[i].code, table[i].number);
    CHECK_TEXT(zus_code_name(table[i].code), table[i].name);
    CHECK(strlen(zus_code_text(table[i].code)) > 3);
  }
  test("unknown codes");
  CHECK_TEXT(zus_code_name((zus_code)7), "ZUS_ERR_UNKNOWN");
  CHECK_TEXT(zus_code_name((zus_code)-1), "ZUS_ERR_UNKNOWN");
  CHECK(*zus_code_text((zus_code)INT32_MAX) != '\0');
  CHECK(*zus_code_text((zus_code)INT32_MIN) != '\0');
  test("the version is the header's");
  snprintf(version, sizeof version, "%d.%d.%d", ZUS_VERSION_MAJOR, ZUS_VERSION_MINOR, ZUS_VERSION_PATCH);
  CHECK_TEXT(zus_version(), version);
}

static void messages(void) {
  test("zus_config_message says why the last call with a configuration failed");
  CHECK_TEXT(zus_config_message(NULL), "");
  zus_config *c = zus_config_new();
  zus_client *client;
  CHECK_TEXT(zus_config_message(c), "");
  zus_config_set_token(c, "");
  CHECK_TEXT(zus_config_message(c), "the token is empty");
  zus_config_set_token(c, NULL);
  CHECK_TEXT(zus_config_message(c), "the token is NULL");
  zus_config_set_oauth(c, "a", "\xff", "s");
  CHECK_TEXT(zus_config_message(c), "the client ID is not valid UTF-8");
  zus_config_set_concurrency(c, 257);
  CHECK_TEXT(zus_config_message(c), "the concurrency is 257; it must be from 1 to 256");
  zus_config_set_encoding(c, 9);
  CHECK_TEXT(zus_config_message(c), "there is no encoding 9");
  CHECK_CODE(zus_client_new(c, &client), ZUS_ERR_CREDENTIALS);
  CHECK_TEXT(zus_config_message(c), "set a token, OAuth credentials or a token provider first");
  zus_config_set_concurrency(c, 1);
  CHECK_TEXT(zus_config_message(c), "");
  zus_config_free(c);

  test("zus_abi_version is the header's number");
  CHECK(zus_abi_version() == ZUS_ABI_VERSION);
}

int main(void) {
  sandbox box;
  sandbox_start(&box, NULL);
  string_setters();
  numbers();
  other_setters();
  messages();
  clients();
  updates(&box);
  batches(&box);
  getters(&box);
  codes();
  sandbox_stop(&box);
  return finish();
}
