/* Zoom's responses, the network's failures, and the code of each. */
#include "check.h"
#include "sandbox.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { ANY = -1 }; /* no contract says which status code a response that was cut off has */

/* The failures and successes that Zoom is known to give, one request each. */
static const struct {
  const char *user;
  zus_action action;
  zus_code code;
  int http, zoom;
  const char *message; /* what the message holds, of Zoom's own words */
} responses[] = {
    /* a 2xx is done with an empty body, or JSON without an error ... */
    {"answer-204@example.com", ZUS_DEACTIVATE, ZUS_OK, 204, 0, ""},
    {"answer-200-empty@example.com", ZUS_DEACTIVATE, ZUS_OK, 200, 0, ""},
    {"answer-200-braces@example.com", ZUS_ACTIVATE, ZUS_OK, 200, 0, ""},
    {"answer-200-quotes@example.com", ZUS_DEACTIVATE, ZUS_OK, 200, 0, ""},
    /* ... and with nothing else */
    {"answer-200-text@example.com", ZUS_DEACTIVATE, ZUS_ERR_PROTOCOL, 200, 0, "OK"},
    {"answer-200-code@example.com", ZUS_DEACTIVATE, ZUS_ERR_USER_NOT_FOUND, 200, 1001, "User does not exist"},
    {"linus@example.com", ZUS_CLOCK_IN, ZUS_OK, 204, 0, ""},
    {"linus@example.com", ZUS_CLOCK_OUT, ZUS_OK, 204, 0, ""},
    /* 400 */
    {"admin@example.com", ZUS_DEACTIVATE, ZUS_ERR_USER_PROTECTED, 400, 200, "Zoom Room and Admin users"},
    {"room@example.com", ZUS_ACTIVATE, ZUS_ERR_USER_PROTECTED, 400, 200, "Zoom Room and Admin users"},
    {"answer-200-credentials@example.com", ZUS_DEACTIVATE, ZUS_ERR_UNAUTHORIZED, 400, 200, "Invalid api key or secret."},
    {"events@example.com", ZUS_DEACTIVATE, ZUS_ERR_USER_BUSY, 400, 300, "upcoming Zoom Events event"},
    {"answer-300@example.com", ZUS_DEACTIVATE, ZUS_ERR_REJECTED, 400, 300, "Validation Failed."}, /* sent as JSON as well */
    {"seatless@example.com", ZUS_ACTIVATE, ZUS_ERR_USER_LIMIT, 400, 3412, "maximum number of 50 \"Basic\" users"},
    {"basic@example.com", ZUS_ACTIVATE, ZUS_ERR_USER_LIMIT, 400, 2033, "\"Basic\" user limit"},
    {"answer-1010@example.com", ZUS_DEACTIVATE, ZUS_ERR_USER_NOT_FOUND, 400, 1010, "does not belong to this account"},
    {"answer-1120@example.com", ZUS_DEACTIVATE, ZUS_ERR_USER_NOT_FOUND, 400, 1120, "Invitation"},
    /* 404 */
    {"nobody@example.com", ZUS_DEACTIVATE, ZUS_ERR_USER_NOT_FOUND, 404, 1001, "User does not exist: nobody@example.com"},
    /* the token */
    {"answer-401-124@example.com", ZUS_DEACTIVATE, ZUS_ERR_UNAUTHORIZED, 401, 124, "Invalid access token."},
    {"answer-400-124@example.com", ZUS_DEACTIVATE, ZUS_ERR_UNAUTHORIZED, 400, 124, "Invalid access token."},
    {"answer-401-expired@example.com", ZUS_DEACTIVATE, ZUS_ERR_UNAUTHORIZED, 401, 401, "Access token is expired."},
    /* a scope or a right; the body of 4711 is malformed JSON */
    {"answer-4711@example.com", ZUS_DEACTIVATE, ZUS_ERR_FORBIDDEN, 400, 4711, "does not contain scopes:[\"user:update:status:admin\""},
    {"answer-104@example.com", ZUS_DEACTIVATE, ZUS_ERR_FORBIDDEN, 400, 104, "does not contain scopes"},
    {"answer-403@example.com", ZUS_DEACTIVATE, ZUS_ERR_FORBIDDEN, 403, 403, "No permission"},
    /* 429, which only the message tells apart where the headers are missing */
    {"answer-429-qps@example.com", ZUS_DEACTIVATE, ZUS_ERR_RATE_LIMITED, 429, 429, "per-second rate limit"},
    {"answer-429-daily@example.com", ZUS_DEACTIVATE, ZUS_ERR_DAILY_LIMIT, 429, 429, "daily rate limit"},
    {"answer-429-bare-qps@example.com", ZUS_DEACTIVATE, ZUS_ERR_RATE_LIMITED, 429, 429, "per-second rate limit"},
    {"answer-429-bare-daily@example.com", ZUS_DEACTIVATE, ZUS_ERR_DAILY_LIMIT, 429, 429, "daily rate limit"},
    /* 5xx */
    {"answer-500@example.com", ZUS_DEACTIVATE, ZUS_ERR_SERVER, 500, 500, "Internal server error."},
    {"answer-502-html@example.com", ZUS_DEACTIVATE, ZUS_ERR_SERVER, 502, 0, ""},
    {"answer-503@example.com", ZUS_DEACTIVATE, ZUS_ERR_SERVER, 503, 0, ""},
    {"answer-504@example.com", ZUS_DEACTIVATE, ZUS_ERR_SERVER, 504, 0, ""},
    /* not a response that Zoom sends */
    {"answer-html@example.com", ZUS_DEACTIVATE, ZUS_ERR_PROTOCOL, 200, 0, ""},
    {"answer-redirect@example.com", ZUS_DEACTIVATE, ZUS_ERR_PROTOCOL, 302, 0, ""},
    {"answer-big@example.com", ZUS_DEACTIVATE, ZUS_ERR_PROTOCOL, ANY, 0, ""},
    {"answer-cut-body@example.com", ZUS_DEACTIVATE, ZUS_ERR_PROTOCOL, ANY, 0, ""},
    {"answer-garbage@example.com", ZUS_DEACTIVATE, ZUS_ERR_PROTOCOL, 0, 0, ""},
    /* no response */
    {"answer-cut@example.com", ZUS_DEACTIVATE, ZUS_ERR_IO, 0, 0, ""},
};

static void the_table(const sandbox *box) {
  zus_client *client = client_from(config_for(box));
  size_t i;
  for (i = 0; i < COUNT(responses); i++) {
    zus_result *result = NULL;
    long before = ledger(box, responses[i].user, "received");
    int by_zoom, sent = responses[i].zoom == 300 && responses[i].code == ZUS_ERR_REJECTED ? 2 : 1;
    test(responses[i].user);
    CHECK_CODE(zus_update_status(client, responses[i].user, responses[i].action, NULL, &result), responses[i].code);
    CHECK_CODE(zus_result_code(result), responses[i].code);
    if (responses[i].http != ANY) CHECK_NUMBER(zus_result_http_status(result), responses[i].http);
    CHECK_NUMBER(zus_result_zoom_code(result), responses[i].zoom);
    CHECK_CONTAINS(zus_result_message(result), responses[i].message);
    CHECK((responses[i].code == ZUS_OK) == (*zus_result_message(result) == '\0'));
    CHECK_TEXT(zus_result_user_id(result), responses[i].user);
    CHECK_NUMBER(zus_result_attempts(result), sent);
    CHECK_NUMBER(ledger(box, responses[i].user, "received"), before + sent);
    by_zoom = responses[i].zoom != 0 || responses[i].code == ZUS_OK; /* a gateway's response has no tracking id */
    if (by_zoom) CHECK_CONTAINS(zus_result_tracking_id(result), "v=2.0;clid=us02;rid=WEB_");
    CHECK(strstr(zus_result_message(result), "sandbox-token") == NULL);
    zus_result_free(result);
  }
  zus_client_free(client);
}

static void details(const sandbox *box) {
  zus_client *client = client_from(config_for(box));
  zus_result *result = NULL;
  size_t length;
  test("the fields that Zoom finds fault with are in the message");
  zus_update_status(client, "answer-300@example.com", ZUS_DEACTIVATE, NULL, &result);
  CHECK_CONTAINS(zus_result_message(result), "action");
  CHECK_CONTAINS(zus_result_message(result), "Invalid field.");
  zus_result_free(result);

  test("Retry-After of a daily limit is seconds from now, at most a day");
  zus_update_status(client, "answer-429-daily@example.com", ZUS_DEACTIVATE, NULL, &result);
  CHECK(zus_result_retry_after(result) >= 0 && zus_result_retry_after(result) <= 24 * 60 * 60);
  CHECK_TEXT(zus_result_header(result, "x-ratelimit-type"), "Daily-limit");
  zus_result_free(result);
  zus_update_status(client, "answer-429-bare-daily@example.com", ZUS_DEACTIVATE, NULL, &result);
  CHECK_NUMBER(zus_result_retry_after(result), -1);
  zus_result_free(result);

  test("the body as it came, malformed JSON too");
  zus_update_status(client, "answer-4711@example.com", ZUS_DEACTIVATE, NULL, &result);
  CHECK_CONTAINS(zus_result_body(result, &length), "scopes:[\"user:update:status:admin\",");
  CHECK_NUMBER(length, strlen(zus_result_body(result, NULL)));
  zus_result_free(result);

  test("an id is one path segment, whatever is in it");
  zus_update_status(client, "a/../b?c#d%2e+\xC3\xA9 e@example.com", ZUS_DEACTIVATE, NULL, &result);
  CHECK_CODE(zus_result_code(result), ZUS_ERR_USER_NOT_FOUND);
  CHECK_CONTAINS(zus_result_message(result), "a/../b?c#d%2e+\xC3\xA9 e@example.com");
  zus_result_free(result);
  zus_client_free(client);
}

/* A client that retries, and errors that are transient or not. */
static void retries(const sandbox *box) {
  static const struct {
    const char *user;
    zus_code code;
    int attempts;
  } table[] = {
      {"answer-503-then-ok-2@example.com", ZUS_OK, 3},
      {"answer-429-then-ok-1@example.com", ZUS_OK, 2},
      {"answer-cut-then-ok-1@example.com", ZUS_OK, 2},
      {"answer-503-then-ok-4@example.com", ZUS_ERR_SERVER, 4},
      {"answer-502-html+retry@example.com", ZUS_ERR_SERVER, 4},
      {"answer-cut+retry@example.com", ZUS_ERR_IO, 4},
      {"answer-429-daily+retry@example.com", ZUS_ERR_DAILY_LIMIT, 1},
      {"answer-html+retry@example.com", ZUS_ERR_PROTOCOL, 1},
      {"answer-redirect+retry@example.com", ZUS_ERR_PROTOCOL, 1},
      {"answer-4711+retry@example.com", ZUS_ERR_FORBIDDEN, 1},
      {"answer-401-124+retry@example.com", ZUS_ERR_UNAUTHORIZED, 1}, /* a static token: there is no other */
      {"admin@example.com", ZUS_ERR_USER_PROTECTED, 1},
  };
  size_t i;
  for (i = 0; i < COUNT(table); i++) {
    zus_config *config = config_for(box);
    zus_client *client; /* a new one for each user: a retry on an idle connection that turns out to be closed is no attempt */
    zus_result *result = NULL;
    long before = ledger(box, table[i].user, "received");
    zus_config_set_retry(config, 4, 1, 20);
    client = client_from(config);
    test(table[i].user);
    CHECK_CODE(zus_update_status(client, table[i].user, ZUS_DEACTIVATE, NULL, &result), table[i].code);
    CHECK_NUMBER(zus_result_attempts(result), table[i].attempts);
    CHECK_NUMBER(ledger(box, table[i].user, "received") - before, table[i].attempts);
    zus_result_free(result);
    zus_client_free(client);
  }
}

static void json_only(void) {
  static const char *const bodies[] = {"json", "json-400"};
  size_t i;
  for (i = 0; i < COUNT(bodies); i++) {
    const char *options[3];
    sandbox box;
    zus_client *client;
    options[0] = "--body", options[1] = bodies[i], options[2] = NULL;
    sandbox_start(&box, options);
    client = client_from(config_for(&box));
    test(i == 0 ? "a server that responds to the form with 415" : "a server that responds to the form with 400");
    CHECK_CODE(zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
    CHECK_NUMBER(ledger(&box, NULL, "forms"), 1);
    CHECK_NUMBER(ledger(&box, NULL, "jsons"), 1);
    CHECK_CODE(zus_update_status(client, "linus@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
    CHECK_NUMBER(ledger(&box, NULL, "forms"), 1); /* remembered */
    CHECK_NUMBER(ledger(&box, NULL, "jsons"), 2);
    CHECK_NUMBER(ledger(&box, "ada@example.com", "applied"), 1);
    zus_client_free(client);
    sandbox_stop(&box);
  }
}

/* A sandbox whose responses are those of the Postman collection. */
static void postman(void) {
  static const char *const options[] = {"--postman", NULL};
  sandbox box;
  zus_client *client;
  zus_result *result = NULL;
  sandbox_start(&box, options);
  client = client_from(config_for(&box));
  test("a 404 without a body is ENDPOINT until a user got a response of this endpoint");
  CHECK_CODE(zus_update_status(client, "nobody@example.com", ZUS_DEACTIVATE, NULL, &result), ZUS_ERR_ENDPOINT);
  CHECK_CONTAINS(zus_result_message(result), "check the API URL");
  zus_result_free(result);
  test("a 204 with two quotes, and errors without a body");
  CHECK_CODE(zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
  CHECK_CODE(zus_update_status(client, "linus@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
  CHECK_CODE(zus_update_status(client, "nobody@example.com", ZUS_DEACTIVATE, NULL, &result), ZUS_ERR_REJECTED);
  CHECK_NUMBER(zus_result_http_status(result), 404);
  CHECK(*zus_result_message(result) != '\0');
  zus_result_free(result);
  zus_client_free(client);
  sandbox_stop(&box);
}

static void check_timeout(const sandbox *box, const char *user) {
  zus_config *config = config_for(box);
  zus_client *client;
  zus_result *result = NULL;
  double begin, took;
  zus_config_set_timeouts(config, 300, 500);
  client = client_from(config);
  test(user);
  begin = seconds_now();
  CHECK_CODE(zus_update_status(client, user, ZUS_DEACTIVATE, NULL, &result), ZUS_ERR_TIMEOUT);
  took = seconds_now() - begin;
  CHECK(took > 0.4 && took < 5); /* the upper end leaves room for valgrind */
  CHECK_NUMBER(zus_result_attempts(result), 1);
  zus_result_free(result);
  zus_client_free(client);
}

static void network(const sandbox *box) {
  char https[256];
  struct {
    const char *api, *proxy;
    zus_code code;
  } table[] = {
      {"https://no-such-host.invalid/v2", "", ZUS_ERR_RESOLVE},
      {"http://127.0.0.1:1/v2", "", ZUS_ERR_CONNECT},
      {NULL, "", ZUS_ERR_TLS}, /* a server that speaks no TLS */
      {"https://api.zoom.us/v2", "http://127.0.0.1:1", ZUS_ERR_PROXY},
  };
  size_t i;
  snprintf(https, sizeof https, "https://localhost%s", strrchr(box->api, ':'));
  table[2].api = https;
  for (i = 0; i < COUNT(table); i++) {
    zus_config *config = config_for(box);
    zus_client *client;
    zus_result *result = NULL;
    CHECK_CODE(zus_config_set_urls(config, table[i].api, NULL), ZUS_OK);
    CHECK_CODE(zus_config_set_proxy(config, table[i].proxy), ZUS_OK);
    client = client_from(config);
    test(zus_code_name(table[i].code));
    CHECK_CODE(zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, &result), table[i].code);
    CHECK_NUMBER(zus_result_http_status(result), 0);
    CHECK(*zus_result_message(result) != '\0');
    zus_result_free(result);
    zus_client_free(client);
  }
}

/* A sandbox that speaks TLS with the certificate that ZUS_TEST_TLS names, without ".crt" and ".key". */
static void tls(void) {
  const char *name = getenv("ZUS_TEST_TLS");
  char certificate[512], key[512], pem[8192];
  const char *options[4];
  size_t length;
  FILE *file;
  sandbox box;
  zus_config *config;
  zus_client *client;
  zus_result *result = NULL;
  if (name == NULL) return;
  snprintf(certificate, sizeof certificate, "%s.crt", name);
  snprintf(key, sizeof key, "%s.key", name);
  options[0] = "--tls", options[1] = certificate, options[2] = key, options[3] = NULL;
  file = fopen(certificate, "r");
  length = file == NULL ? 0 : fread(pem, 1, sizeof pem, file);
  if (file != NULL) fclose(file);
  sandbox_start(&box, options);

  test("a certificate that nobody vouches for is TLS");
  client = client_from(config_for(&box));
  CHECK_CODE(zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, &result), ZUS_ERR_TLS);
  CHECK_NUMBER(zus_result_http_status(result), 0);
  zus_result_free(result);
  zus_client_free(client);

  test("set_ca_pem: trusted");
  config = config_for(&box);
  CHECK_CODE(zus_config_set_ca_pem(config, (const uint8_t *)pem, length), ZUS_OK);
  client = client_from(config);
  CHECK_CODE(zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_OK);
  CHECK_CODE(zus_update_status(client, "ada@example.com", ZUS_ACTIVATE, NULL, NULL), ZUS_OK);
  zus_client_free(client);

  test("a certificate for another host is TLS");
  config = config_for(&box);
  snprintf(pem + length, sizeof pem - length, "https://127.0.0.1%s", strrchr(box.api, ':'));
  CHECK_CODE(zus_config_set_urls(config, pem + length, NULL), ZUS_OK);
  CHECK_CODE(zus_config_set_ca_pem(config, (const uint8_t *)pem, length), ZUS_OK);
  client = client_from(config);
  CHECK_CODE(zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, NULL), ZUS_ERR_TLS);
  zus_client_free(client);
  sandbox_stop(&box);
}

int main(void) {
  sandbox box;
  sandbox_start(&box, NULL);
  the_table(&box);
  details(&box);
  retries(&box);
  check_timeout(&box, "answer-never@example.com");
  check_timeout(&box, "answer-drip@example.com");
  check_timeout(&box, "answer-drip-body@example.com");
  check_timeout(&box, "answer-slow-30000@example.com");
  network(&box);
  sandbox_stop(&box);
  json_only();
  postman();
  tls();
  return finish();
}
