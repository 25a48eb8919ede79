/* Settings, and a call with them. Every setter of the page has to succeed. */
#include <stdio.h>
#include <stdlib.h>
#include <zus.h>

static zus_code worst = ZUS_OK;
static zus_code noted(zus_code code) {
  if (code != ZUS_OK) worst = code;
  return code;
}
#define zus_config_set_rate(...) noted(zus_config_set_rate(__VA_ARGS__))
#define zus_config_set_concurrency(...) noted(zus_config_set_concurrency(__VA_ARGS__))
#define zus_config_set_timeouts(...) noted(zus_config_set_timeouts(__VA_ARGS__))
#define zus_config_set_proxy(...) noted(zus_config_set_proxy(__VA_ARGS__))

int main(void) {
  zus_config *config = zus_config_new();
  zus_client *client = NULL;
  noted(zus_config_set_token(config, getenv("ZOOM_ACCESS_TOKEN")));
  noted(zus_config_set_urls(config, getenv("ZOOM_API_URL"), NULL));
PAGE
  noted(zus_client_new(config, &client));
  noted(zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, NULL));
  zus_client_free(client);
  zus_config_free(config);
  if (worst != ZUS_OK) puts(zus_code_name(worst));
  return worst;
}
