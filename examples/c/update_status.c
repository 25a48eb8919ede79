/* update_status USER_ID deactivate|activate|clock_in|clock_out
 *
 * One call, and what became of it. Exit status: 0 done, 1 refused or failed, 2 misuse. The credentials come from the
 * environment (zoom_env.h), never from the command line, where everybody on the machine can read them.
 *
 *   cc -Iinclude examples/c/update_status.c -Ltarget/release -lzus -Wl,-rpath,"$PWD/target/release" -o update_status */
#include <string.h>

#include "zoom_env.h"

/* 0 for a word that is no action. */
static zus_action action_from(const char *word) {
  if (strcmp(word, "activate") == 0) return ZUS_ACTIVATE;
  if (strcmp(word, "deactivate") == 0) return ZUS_DEACTIVATE;
  if (strcmp(word, "clock_in") == 0) return ZUS_CLOCK_IN;
  if (strcmp(word, "clock_out") == 0) return ZUS_CLOCK_OUT;
  return 0;
}

int main(int argc, char **argv) {
  zus_config *config;
  zus_client *client = NULL;
  zus_result *result = NULL;
  zus_code code;
  zus_action action = argc == 3 ? action_from(argv[2]) : 0;
  if (action == 0) {
    fprintf(stderr, "usage: %s USER_ID deactivate|activate|clock_in|clock_out\n", argc > 0 ? argv[0] : "update_status");
    return 2;
  }

  config = config_from_env();
  if (config == NULL) return 2;
  code = zus_client_new(config, &client); /* sends nothing */
  zus_config_free(config);
  if (code != ZUS_OK) {
    fprintf(stderr, "%s: %s\n", zus_code_name(code), zus_code_text(code));
    return 2;
  }

  code = zus_update_status(client, argv[1], action, NULL, &result);
  if (zus_result_http_status(result) != 0) printf("HTTP %d\n", (int)zus_result_http_status(result));
  if (code != ZUS_OK) {
    printf("%s: %s\n", zus_code_name(code), *zus_result_message(result) ? zus_result_message(result) : zus_code_text(code));
    if (zus_result_zoom_code(result) != 0) printf("Zoom's code: %d\n", (int)zus_result_zoom_code(result));
    if (*zus_result_tracking_id(result)) printf("tracking id: %s\n", zus_result_tracking_id(result));
  }
  zus_result_free(result); /* and with it every string it gave */
  zus_client_free(client);
  return code == ZUS_OK ? 0 : code < 20 ? 2 : 1;
}
