/* zus_update_status in a loop. */
#include "bench.h"
#include <zus.h>

static zus_client *client;

static void call(void *unused)
{
    (void)unused;
    zus_result *result = NULL;
    zus_code code = zus_update_status(client, USER_ID, ZUS_DEACTIVATE, NULL, &result);
    if (code != ZUS_OK || zus_result_http_status(result) != 204)
        fail("zus", code, result ? zus_result_message(result) : zus_code_text(code));
    zus_result_free(result);
}

int main(int argc, char **argv)
{
    struct arguments a = read_arguments(argc, argv);
    zus_config *config = zus_config_new();
    zus_code code = zus_config_set_token(config, TOKEN);
    if (!code)
        code = zus_config_set_urls(config, a.api, NULL);
    if (!code)
        code = zus_config_set_rate(config, 0, 1000);
    if (!code)
        code = zus_config_set_encoding(config, a.form ? ZUS_ENCODING_FORM : ZUS_ENCODING_JSON);
    if (!code && a.ca) {
        size_t length;
        char *pem = read_file(a.ca, &length);
        code = zus_config_set_ca_pem(config, (const uint8_t *)pem, length);
        free(pem);
    }
    if (!code)
        code = zus_client_new(config, &client);
    if (code)
        fail("zus", code, zus_code_text(code));
    zus_config_free(config);
    run(a.calls, call, NULL);
    zus_client_free(client);
    return 0;
}
