/* What the C examples share: the configuration, from the environment.
 *   ZOOM_ACCESS_TOKEN, or ZOOM_ACCOUNT_ID + ZOOM_CLIENT_ID + ZOOM_CLIENT_SECRET
 *   ZOOM_API_URL (default https://api.zoom.us/v2), ZOOM_OAUTH_URL (default https://zoom.us/oauth/token) */
#ifndef ZOOM_ENV_H
#define ZOOM_ENV_H
#include <stdio.h>
#include <stdlib.h>

#include "zus.h"

static const char *env(const char *name) {
  const char *value = getenv(name);
  return value == NULL ? "" : value;
}

/* NULL, and a line on stderr, when what is set can't be used. The caller frees it. */
static zus_config *config_from_env(void) {
  zus_config *config = zus_config_new();
  zus_code code = ZUS_OK;
  if (*env("ZOOM_ACCESS_TOKEN"))
    code = zus_config_set_token(config, env("ZOOM_ACCESS_TOKEN"));
  else if (*env("ZOOM_ACCOUNT_ID") || *env("ZOOM_CLIENT_ID") || *env("ZOOM_CLIENT_SECRET"))
    code = zus_config_set_oauth(config, env("ZOOM_ACCOUNT_ID"), env("ZOOM_CLIENT_ID"), env("ZOOM_CLIENT_SECRET"));
  else
    code = ZUS_ERR_CREDENTIALS;
  if (code != ZUS_OK) {
    fprintf(stderr, "ZOOM_ACCESS_TOKEN, or ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET: %s\n", zus_code_text(code));
  } else {
    code = zus_config_set_urls(config, *env("ZOOM_API_URL") ? env("ZOOM_API_URL") : NULL,
                               *env("ZOOM_OAUTH_URL") ? env("ZOOM_OAUTH_URL") : NULL);
    if (code != ZUS_OK) fprintf(stderr, "ZOOM_API_URL or ZOOM_OAUTH_URL: %s\n", zus_code_text(code));
  }
  if (code == ZUS_OK) return config;
  zus_config_free(config);
  return NULL;
}
#endif
