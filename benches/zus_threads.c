/* zus_update_status from many threads on one client: PROGRAM API CALLS-EACH THREADS. Prints the calls a second of all
 * threads together, after one call each that opens the connections. */
#define _GNU_SOURCE
#include "bench.h"
#include <pthread.h>
#include <zus.h>

static zus_client *client;
static long calls;
static pthread_barrier_t warm, done;

static void call(void)
{
    zus_code code = zus_update_status(client, USER_ID, ZUS_DEACTIVATE, NULL, NULL);
    if (code)
        fail("zus", code, zus_code_text(code));
}

static void *work(void *unused)
{
    call();
    pthread_barrier_wait(&warm);
    for (long i = 0; i < calls; i++)
        call();
    pthread_barrier_wait(&done);
    return unused;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        fail("usage: zus_threads API CALLS THREADS", 0, NULL);
    calls = atol(argv[2]);
    int threads = atoi(argv[3]);
    zus_config *config = zus_config_new();
    zus_code code = zus_config_set_token(config, TOKEN);
    if (!code)
        code = zus_config_set_urls(config, argv[1], NULL);
    if (!code)
        code = zus_config_set_rate(config, 0, 1000);
    if (!code)
        code = zus_client_new(config, &client);
    if (code)
        fail("zus", code, zus_code_text(code));
    pthread_barrier_init(&warm, NULL, (unsigned)threads + 1);
    pthread_barrier_init(&done, NULL, (unsigned)threads + 1);
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, work, NULL);
        pthread_detach(thread);
    }
    pthread_barrier_wait(&warm);
    double start = seconds(CLOCK_MONOTONIC);
    pthread_barrier_wait(&done);
    printf("%.6f\n", (double)(calls * threads) / (seconds(CLOCK_MONOTONIC) - start));
    return 0;
}
