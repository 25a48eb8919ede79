#include <stdio.h>
#include <stdlib.h>
#include <zus.h>

int main(void) {
  zus_config *config = zus_config_new();
  zus_client *client = NULL;
  if (zus_config_set_oauth(config, getenv("ZOOM_ACCOUNT_ID"), getenv("ZOOM_CLIENT_ID"), getenv("ZOOM_CLIENT_SECRET")) != ZUS_OK)
    return 1;
  if (zus_config_set_urls(config, getenv("ZOOM_API_URL"), getenv("ZOOM_OAUTH_URL")) != ZUS_OK) return 2;
  if (zus_client_new(config, &client) != ZUS_OK) return 3;
PAGE
  zus_client_free(client);
  zus_config_free(config);
  return 0;
}
