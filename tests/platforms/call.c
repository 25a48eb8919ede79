/* A caller in C for every system: each kind of call, and what its result tells. call API OAUTH [CA.pem] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zus.h"

static int failed = 0;

static void check(int good, const char *what) {
  if (good) return;
  printf("FAILED: %s\n", what);
  failed = 1;
}

static zus_config *config_for(const char *api, const char *oauth, const char *ca) {
  zus_config *config = zus_config_new();
  check(config != NULL, "zus_config_new");
  check(zus_config_set_urls(config, api, oauth) == ZUS_OK, "zus_config_set_urls");
  check(zus_config_set_oauth(config, "sandbox-account", "sandbox-client", "sandbox-secret") == ZUS_OK, "zus_config_set_oauth");
  check(zus_config_set_rate(config, 0, 1000) == ZUS_OK, "zus_config_set_rate");
  check(zus_config_set_proxy(config, "") == ZUS_OK, "zus_config_set_proxy");
  if (ca != NULL) {
    static char pem[65536];
    FILE *file = fopen(ca, "rb");
    size_t length = file == NULL ? 0 : fread(pem, 1, sizeof pem, file);
    if (file != NULL) fclose(file);
    check(zus_config_set_ca_pem(config, (const uint8_t *)pem, length) == ZUS_OK, "zus_config_set_ca_pem");
  }
  return config;
}

static int32_t on_result(void *userdata, size_t index, const zus_result *result) {
  size_t *heard = userdata;
  check(index < 3, "the index of a batch");
  check((zus_result_code(result) == ZUS_OK) == (index != 1), "the code of a batch's user");
  ++*heard;
  return 0;
}

static size_t on_token(void *userdata, int32_t refused, char *buffer, size_t capacity) {
  static const char token[] = "sandbox-token";
  (void)refused;
  ++*(int *)userdata;
  if (capacity >= sizeof token - 1) memcpy(buffer, token, sizeof token - 1);
  return sizeof token - 1;
}

int main(int argc, char **argv) {
  const char *ids[] = {"ada@example.com", "nobody@example.com", "linus@example.com"};
  const char *api, *oauth, *ca;
  char version[32];
  zus_config *config;
  zus_client *client = NULL;
  zus_result *result = NULL;
  zus_cancel *cancel;
  size_t heard = 0, length = 0;
  int tokens = 0;

  if (argc < 3) return 2;
  api = argv[1];
  oauth = argv[2];
  ca = argc > 3 ? argv[3] : NULL;
  snprintf(version, sizeof version, "%d.%d.%d", ZUS_VERSION_MAJOR, ZUS_VERSION_MINOR, ZUS_VERSION_PATCH);
  check(strcmp(zus_version(), version) == 0, "the header's version is the library's");

  config = config_for(api, oauth, ca);
  check(zus_client_new(config, &client) == ZUS_OK, "zus_client_new");
  check(zus_check_credentials(client, NULL, &result) == ZUS_OK, "zus_check_credentials");
  check(strstr(zus_result_body(result, &length), "expires_in") != NULL && length > 0, "what is said of the token");
  zus_result_free(result);

  check(zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, &result) == ZUS_OK, "zus_update_status");
  check(zus_result_http_status(result) == 204, "its HTTP status");
  check(zus_result_attempts(result) == 1, "its attempts");
  check(zus_result_retry_after(result) == -1, "no Retry-After");
  check(strcmp(zus_result_user_id(result), "ada@example.com") == 0, "its user id");
  check(zus_result_tracking_id(result)[0] != '\0', "its tracking id");
  zus_result_free(result);

  check(zus_update_status(client, "nobody@example.com", ZUS_ACTIVATE, NULL, &result) == ZUS_ERR_USER_NOT_FOUND, "an unknown user");
  check(zus_result_zoom_code(result) == 1001 && zus_result_message(result)[0] != '\0', "Zoom's code and message");
  zus_result_free(result);
  check(zus_update_status(client, " ada@example.com", ZUS_ACTIVATE, NULL, NULL) == ZUS_ERR_ARGUMENT, "leading whitespace in a user ID");
  check(zus_update_status(client, NULL, ZUS_ACTIVATE, NULL, NULL) == ZUS_ERR_NULL, "no id");

  check(zus_update_status_many(client, ids, 3, ZUS_ACTIVATE, NULL, on_result, &heard) == ZUS_ERR_PARTIAL, "a batch with a failure");
  check(heard == 3, "the callback runs for each user of a batch");

  cancel = zus_cancel_new();
  zus_cancel_trigger(cancel);
  check(zus_update_status(client, "ada@example.com", ZUS_ACTIVATE, cancel, NULL) == ZUS_ERR_CANCELLED, "a cancelled call");
  zus_cancel_free(cancel);
  zus_client_free(client);

  check(zus_config_set_token_provider(config, on_token, &tokens) == ZUS_OK, "zus_config_set_token_provider");
  check(zus_client_new(config, &client) == ZUS_OK, "zus_client_new with a token provider");
  check(zus_update_status(client, "ada@example.com", ZUS_ACTIVATE, NULL, NULL) == ZUS_OK && tokens == 1, "a call with a token provider");
  zus_client_free(client);
  zus_config_free(config);

  puts(failed ? "call: failed" : "call: passed");
  return failed;
}
