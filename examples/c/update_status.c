/* update_status USER_ID deactivate|activate|clock_in|clock_out [SECONDS]
 *
 * Updates one user and prints the result. With SECONDS, it reads the user afterwards, until the status is the wanted one or the
 * time is up. Exit status: 0 done, 1 failed, 2 usage error. The credentials come from the environment
 * (zus_config_set_from_env), never from the command line, where everybody on the machine can read them.
 *
 *   cc -Iinclude examples/c/update_status.c -Ltarget/release -lzus -Wl,-rpath,"$PWD/target/release" -o update_status */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zus.h"

/* Returns 0 for a word that is no action. */
static zus_action action_from(const char *word) {
  if (strcmp(word, "activate") == 0) return ZUS_ACTIVATE;
  if (strcmp(word, "deactivate") == 0) return ZUS_DEACTIVATE;
  if (strcmp(word, "clock_in") == 0) return ZUS_CLOCK_IN;
  if (strcmp(word, "clock_out") == 0) return ZUS_CLOCK_OUT;
  return 0;
}

/* Returns NULL after a usage error, with a line on stderr. */
static zus_client *client_from_env(unsigned verify_seconds) {
  zus_client *client = NULL;
  zus_config *config = zus_config_new();
  if (zus_config_set_from_env(config) != ZUS_OK || zus_config_set_verify(config, verify_seconds * 1000) != ZUS_OK ||
      zus_client_new(config, &client) != ZUS_OK) /* sends nothing yet */
    fprintf(stderr, "%s\n", zus_config_message(config));
  zus_config_free(config);
  return client;
}

static void print_result(const zus_result *result) {
  zus_code code = zus_result_code(result);
  if (zus_result_http_status(result) != 0) printf("HTTP %d\n", (int)zus_result_http_status(result));
  if (zus_result_user_status(result) == ZUS_STATUS_ACTIVE) puts("the user is active");
  if (zus_result_user_status(result) == ZUS_STATUS_INACTIVE) puts("the user is inactive");
  if (code == ZUS_OK) return;
  printf("%s: %s\n", zus_code_name(code), zus_result_message(result));
  if (zus_result_zoom_code(result) != 0) printf("Zoom's code: %d\n", (int)zus_result_zoom_code(result));
  if (*zus_result_tracking_id(result)) printf("tracking ID: %s\n", zus_result_tracking_id(result));
}

int main(int argc, char **argv) {
  zus_client *client;
  zus_result *result = NULL;
  zus_code code;
  zus_action action = argc == 3 || argc == 4 ? action_from(argv[2]) : 0;
  if (action == 0) {
    fprintf(stderr, "usage: %s USER_ID deactivate|activate|clock_in|clock_out [SECONDS]\n",
            argc > 0 ? argv[0] : "update_status");
    return 2;
  }
  client = client_from_env(argc == 4 ? (unsigned)strtoul(argv[3], NULL, 10) : 0);
  if (client == NULL) return 2;
  code = zus_update_status(client, argv[1], action, NULL, &result);
  if (result != NULL)
    print_result(result);
  else
    printf("%s: %s\n", zus_code_name(code), zus_code_text(code));
  zus_result_free(result); /* and every string that was borrowed from it */
  zus_client_free(client);
  return code == ZUS_OK ? 0 : code < 20 ? 2 : 1;
}
