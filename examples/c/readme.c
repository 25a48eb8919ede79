#include <stdio.h>
#include <stdlib.h>
#include "zus.h"

int main(void) {
  /* README */
  zus_config *config = zus_config_new();
  zus_client *client = NULL;
  zus_result *result = NULL;
  zus_config_set_token(config, getenv("ZOOM_ACCESS_TOKEN"));
  zus_config_set_urls(config, getenv("ZOOM_API_URL"), NULL); /* NULL: Zoom itself */
  zus_client_new(config, &client);
  if (zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, &result) != ZUS_OK)
    printf("%s: %s\n", zus_code_name(zus_result_code(result)), zus_result_message(result));
  zus_result_free(result);
  zus_client_free(client);
  zus_config_free(config);
  /* README */
  return 0;
}
