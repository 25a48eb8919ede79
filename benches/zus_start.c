/* 100 calls at once from a program with one thread: PROGRAM API COUNT. Calls are started, and an epoll loop takes their
 * events, with a timer every 10 ms. Prints the seconds from the first start to the last result, and the longest that the
 * timer was late, in seconds. */
#define _GNU_SOURCE
#include "bench.h"
#include "loop.h"
#include <zus.h>

int main(int argc, char **argv)
{
    if (argc < 3)
        fail("usage: zus_start API COUNT", 0, NULL);
    long count = atol(argv[2]), left = count;
    zus_client *client = NULL;
    zus_config *config = zus_config_new();
    zus_code code = zus_config_set_token(config, TOKEN);
    if (!code)
        code = zus_config_set_urls(config, argv[1], NULL);
    if (!code)
        code = zus_config_set_encoding(config, ZUS_ENCODING_JSON);
    if (!code)
        code = zus_config_set_rate(config, 0, 1000);
    if (!code)
        code = zus_config_set_concurrency(config, 100);
    if (!code)
        code = zus_client_new(config, &client);
    if (code)
        fail("zus", code, zus_code_text(code));
    zus_queue *queue = zus_queue_new();
    int descriptor = (int)zus_queue_descriptor(queue);
    struct loop loop = loop_begin();
    loop_watch(&loop, descriptor, EPOLLIN);
    for (long i = 0; i < count; i++)
        if ((code = zus_update_status_start(client, USER_ID, ZUS_DEACTIVATE, NULL, queue, NULL)))
            fail("zus", code, zus_code_text(code));
    while (left > 0) {
        struct epoll_event events[16];
        loop_wait(&loop, events, 16);
        for (zus_event *event; (event = zus_queue_next(queue, 0)); left--) {
            code = zus_result_code(zus_event_result(event));
            if (code)
                fail("zus", code, zus_result_message(zus_event_result(event)));
            zus_event_free(event);
        }
    }
    loop_end(&loop);
    return 0;
}
