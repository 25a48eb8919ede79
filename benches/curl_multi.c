/* The same with libcurl's multi interface, whose sockets an epoll loop watches (curl_multi_socket_action): PROGRAM API COUNT. */
#define _GNU_SOURCE
#include "bench.h"
#include "loop.h"
#include <curl/curl.h>

static struct loop loop;
static double wake_at = -1; /* when libcurl wants to be called without a socket; -1: never */

static size_t discard(char *data, size_t size, size_t count, void *unused)
{
    (void)data, (void)unused;
    return size * count;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *unused, void *known)
{
    (void)easy, (void)unused, (void)known;
    if (what == CURL_POLL_REMOVE)
        epoll_ctl(loop.epoll, EPOLL_CTL_DEL, socket, NULL);
    else
        loop_watch(&loop, socket, (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u));
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *unused)
{
    (void)multi, (void)unused;
    wake_at = ms < 0 ? -1 : seconds(CLOCK_MONOTONIC) + (double)ms / 1000;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        fail("usage: curl_multi API COUNT", 0, NULL);
    long count = atol(argv[2]), left = count;
    char url[512];
    int running;
    snprintf(url, sizeof url, "%s/users/%s/status", argv[1], USER_ID);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct curl_slist *headers = curl_slist_append(NULL, "Authorization: Bearer " TOKEN);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    loop = loop_begin();
    for (long i = 0; i < count; i++) {
        CURL *easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PUT");
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, JSON);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
        curl_easy_setopt(easy, CURLOPT_TIMEOUT, 60L);
        curl_multi_add_handle(multi, easy);
    }
    while (left > 0) {
        struct epoll_event events[16];
        int ready = loop_wait(&loop, events, 16);
        for (int i = 0; i < ready; i++)
            if (events[i].data.fd != loop.timer)
                curl_multi_socket_action(multi, events[i].data.fd,
                                         (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                                             (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                                             (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0),
                                         &running);
        if (wake_at >= 0 && seconds(CLOCK_MONOTONIC) >= wake_at) {
            wake_at = -1;
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        int more;
        for (CURLMsg *message; (message = curl_multi_info_read(multi, &more)); left--) {
            long status = 0;
            CURL *easy = message->easy_handle;
            CURLcode code = message->data.result;
            curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
            if (code || status != 204)
                fail("libcurl", status, curl_easy_strerror(code));
            curl_multi_remove_handle(multi, easy);
            curl_easy_cleanup(easy);
        }
    }
    loop_end(&loop);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    return 0;
}
