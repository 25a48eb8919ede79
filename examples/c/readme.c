#include <stdio.h>
#include "zus.h"

int main(void) {
  /* README */
  zus_config *config = zus_config_new();
  zus_client *client = NULL;
  zus_result *result = NULL;
  zus_code code = zus_config_set_from_env(config);
  if (code == ZUS_OK) code = zus_client_new(config, &client);
  if (code != ZUS_OK) fprintf(stderr, "%s\n", zus_config_message(config)); /* "ZOOM_ACCOUNT_ID is not set; ..." */
  else code = zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, &result);
  printf("%s %s\n", zus_code_name(code), zus_result_message(result)); /* the message is empty for ZUS_OK */
  zus_result_free(result);
  zus_client_free(client);
  zus_config_free(config);
  /* README */
  return code == ZUS_OK ? 0 : 1;
}
