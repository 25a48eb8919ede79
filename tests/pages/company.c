/* The server's certificate is a company's: refused at first, and good with company-ca.pem. */
#include <stdio.h>
#include <stdlib.h>
#include <zus.h>

PAGE

static zus_code call(const char *authority) {
  zus_config *config = zus_config_new();
  zus_client *client = NULL;
  zus_code code = zus_config_set_token(config, getenv("ZOOM_ACCESS_TOKEN"));
  if (code == ZUS_OK) code = zus_config_set_urls(config, getenv("ZOOM_API_URL"), NULL);
  if (code == ZUS_OK && authority) code = trust(config, authority);
  if (code == ZUS_OK) code = zus_client_new(config, &client);
  if (code == ZUS_OK) code = zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, NULL);
  zus_client_free(client);
  zus_config_free(config);
  return code;
}

int main(void) {
  if (call(NULL) != ZUS_ERR_TLS) return 1;
  if (call("no-such-file.pem") != ZUS_ERR_ARGUMENT) return 2;
  return call("company-ca.pem");
}
