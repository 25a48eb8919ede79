#include <stdio.h>
#include <stdlib.h>
#include <zus.h>

PAGE

int main(void) {
  zus_config *config = zus_config_new();
  zus_client *client = NULL;
  zus_code code;
  if (zus_config_set_token(config, getenv("ZOOM_ACCESS_TOKEN")) != ZUS_OK) return 1;
  if (zus_config_set_urls(config, getenv("ZOOM_API_URL"), NULL) != ZUS_OK) return 2;
  if (log_to(config, stdout) != ZUS_OK) return 3;
  if (zus_client_new(config, &client) != ZUS_OK) return 4;
  code = zus_update_status(client, "nobody@example.com", ZUS_DEACTIVATE, NULL, NULL);
  zus_client_free(client);
  zus_config_free(config);
  return code == ZUS_ERR_USER_NOT_FOUND ? 0 : 5;
}
