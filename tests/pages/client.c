#include <stdio.h>
#include <stdlib.h>
#include <zus.h>

int main(void) {
  zus_config *config = zus_config_new();
  zus_client *client = NULL;
  if (zus_config_set_token(config, getenv("ZOOM_ACCESS_TOKEN")) != ZUS_OK) return 1;
  if (zus_config_set_urls(config, getenv("ZOOM_API_URL"), NULL) != ZUS_OK) return 2;
  if (zus_client_new(config, &client) != ZUS_OK) return 3;
PAGE
  zus_client_free(client);
  zus_config_free(config);
  return 0;
}
