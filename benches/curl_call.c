/* The same PUT with libcurl, on one easy handle whose options are all set once, outside of the loop. With BENCH_NOSIGNAL set it
 * also leaves SIGPIPE alone, which saves libcurl six system calls a call. */
#include "bench.h"
#include <curl/curl.h>

static size_t discard(char *data, size_t size, size_t count, void *unused)
{
    (void)data, (void)unused;
    return size * count;
}

static void call(void *context)
{
    CURL *curl = context;
    long status = 0;
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code || status != 204)
        fail("libcurl", status, curl_easy_strerror(code));
}

int main(int argc, char **argv)
{
    struct arguments a = read_arguments(argc, argv);
    char url[512];
    snprintf(url, sizeof url, "%s/users/" USER_ID "/status", a.api);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Authorization: Bearer " TOKEN);
    curl_mime *form = NULL;
    if (a.form) {
        form = curl_mime_init(curl);
        curl_mimepart *part = curl_mime_addpart(form);
        curl_mime_name(part, "action");
        curl_mime_data(part, "deactivate", CURL_ZERO_TERMINATED);
        curl_easy_setopt(curl, CURLOPT_MIMEPOST, form);
    } else {
        headers = curl_slist_append(headers, "Content-Type: application/json");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, JSON);
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "PUT");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
    if (a.ca)
        curl_easy_setopt(curl, CURLOPT_CAINFO, a.ca);
    if (getenv("BENCH_NOSIGNAL"))
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    run(a.calls, call, curl);
    curl_easy_cleanup(curl);
    curl_mime_free(form);
    curl_slist_free_all(headers);
    curl_global_cleanup();
    return 0;
}
