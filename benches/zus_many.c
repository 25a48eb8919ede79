/* zus_update_status_many over user00001.. of the sandbox: PROGRAM API USERS CONCURRENCY RATE (a second; 0 for none).
 * Prints the seconds it took and how many were done. */
#include "bench.h"
#include <zus.h>

static int32_t count(void *done, size_t index, const zus_result *result)
{
    (void)index;
    *(long *)done += zus_result_code(result) == ZUS_OK;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        fail("usage: zus_many API USERS CONCURRENCY RATE", 0, NULL);
    long users = atol(argv[2]), done = 0;
    char (*names)[40] = malloc((size_t)users * sizeof *names);
    const char **ids = malloc((size_t)users * sizeof *ids);
    for (long i = 0; i < users; i++) {
        snprintf(names[i], sizeof names[i], "user%05ld@example.com", i + 1);
        ids[i] = names[i];
    }
    zus_client *client;
    zus_config *config = zus_config_new();
    zus_code code = zus_config_set_token(config, TOKEN);
    if (!code)
        code = zus_config_set_urls(config, argv[1], NULL);
    if (!code)
        code = zus_config_set_concurrency(config, (uint32_t)atoi(argv[3]));
    if (!code)
        code = zus_config_set_rate(config, (uint32_t)atoi(argv[4]), 1000);
    if (!code)
        code = zus_client_new(config, &client);
    if (code)
        fail("zus", code, zus_code_text(code));
    zus_config_free(config);
    double start = seconds(CLOCK_MONOTONIC);
    code = zus_update_status_many(client, ids, (size_t)users, ZUS_DEACTIVATE, NULL, count, &done);
    printf("%.6f %ld\n", seconds(CLOCK_MONOTONIC) - start, done);
    if (code)
        fail("zus", code, zus_code_text(code));
    zus_client_free(client);
    free(ids);
    free(names);
    return 0;
}
