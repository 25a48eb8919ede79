/* Every function of the ABI as it was when this library began. Compiled against the header of the oldest release and run
 * with the library of today: tests/abi/check.sh. Nothing is sent: port 9 of loopback is nobody's. */

#include <stdio.h>
#include <string.h>

#include "zus.h"

static int failed;

#define CHECK(condition)                                             \
  do {                                                               \
    if (!(condition)) {                                              \
      printf("FAILED: line %d: %s\n", __LINE__, #condition);         \
      failed++;                                                      \
    }                                                                \
  } while (0)

static size_t token(void *userdata, int32_t refused, char *buffer, size_t capacity) {
  ++*(int *)userdata;
  CHECK(refused == 0 && capacity >= 5);
  memcpy(buffer, "token", 5);
  return 5;
}

static void line(void *userdata, int32_t level, const char *message) {
  ++*(int *)userdata;
  CHECK(level >= 1 && level <= 4 && message[0]);
}

static int32_t result_of(void *userdata, size_t index, const zus_result *result) {
  ++*(int *)userdata;
  CHECK(index < 2 && zus_result_code(result) == ZUS_ERR_CONNECT);
  return 0;
}

int main(void) {
  int tokens = 0, lines = 0, results = 0;
  zus_config *config = zus_config_new();
  CHECK(zus_config_set_token(config, "token") == ZUS_OK);
  CHECK(zus_config_set_oauth(config, "account", "client", "secret") == ZUS_OK);
  CHECK(zus_config_set_token_provider(config, token, &tokens) == ZUS_OK);
  CHECK(zus_config_set_urls(config, "http://127.0.0.1:9/v2", "http://127.0.0.1:9/oauth/token") == ZUS_OK);
  CHECK(zus_config_set_encoding(config, ZUS_ENCODING_JSON) == ZUS_OK);
  CHECK(zus_config_set_encoding(config, ZUS_ENCODING_FORM) == ZUS_OK);
  CHECK(zus_config_set_timeouts(config, 5000, 5000) == ZUS_OK);
  CHECK(zus_config_set_retry(config, 2, 1, 1) == ZUS_OK);
  CHECK(zus_config_set_rate(config, 100, 1000) == ZUS_OK);
  CHECK(zus_config_set_concurrency(config, 2) == ZUS_OK);
  CHECK(zus_config_set_proxy(config, "") == ZUS_OK);
  CHECK(zus_config_set_ca_pem(config, (const uint8_t *)"x", 1) == ZUS_ERR_ARGUMENT);
  CHECK(zus_config_set_user_agent(config, "abi/1") == ZUS_OK);
  CHECK(zus_config_set_log(config, 4, line, &lines) == ZUS_OK);

  zus_client *client = NULL;
  CHECK(zus_client_new(config, &client) == ZUS_OK && client);
  zus_config_free(config);

  zus_result *result = NULL;
  CHECK(zus_check_credentials(client, NULL, &result) == ZUS_OK && tokens == 1);
  zus_result_free(result);

  CHECK(zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, &result) == ZUS_ERR_CONNECT);
  size_t length = 1;
  CHECK(zus_result_code(result) == ZUS_ERR_CONNECT);
  CHECK(zus_result_http_status(result) == 0);
  CHECK(zus_result_zoom_code(result) == 0);
  CHECK(strlen(zus_result_message(result)) > 0);
  CHECK(strcmp(zus_result_user_id(result), "ada@example.com") == 0);
  CHECK(strcmp(zus_result_tracking_id(result), "") == 0);
  CHECK(strcmp(zus_result_header(result, "date"), "") == 0);
  CHECK(strcmp(zus_result_body(result, &length), "") == 0 && length == 0);
  CHECK(zus_result_retry_after(result) == -1);
  CHECK(zus_result_attempts(result) == 2);
  zus_result_free(result);

  const char *ids[] = {"ada@example.com", "grace@example.com"};
  CHECK(zus_update_status_many(client, ids, 2, ZUS_ACTIVATE, NULL, result_of, &results) == ZUS_ERR_PARTIAL);
  CHECK(results == 2 && lines > 0);

  zus_cancel *cancel = zus_cancel_new();
  zus_cancel_trigger(cancel);
  CHECK(zus_update_status(client, ids[0], ZUS_CLOCK_IN, cancel, NULL) == ZUS_ERR_CANCELLED);
  CHECK(zus_update_status(client, ids[0], ZUS_CLOCK_OUT, cancel, NULL) == ZUS_ERR_CANCELLED);
  zus_cancel_free(cancel);
  zus_client_free(client);

  CHECK(strcmp(zus_code_name(ZUS_ERR_USER_NOT_FOUND), "ZUS_ERR_USER_NOT_FOUND") == 0);
  CHECK(strlen(zus_code_text(ZUS_ERR_USER_NOT_FOUND)) > 0);
  printf("header %d.%d.%d, library %s: %d failed\n", ZUS_VERSION_MAJOR, ZUS_VERSION_MINOR, ZUS_VERSION_PATCH,
         zus_version(), failed);
  return failed != 0;
}
