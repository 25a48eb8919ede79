/* LD_PRELOAD for a test's child process: names that lead where the test says, and a clock that it can move. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef int getaddrinfo_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);
typedef int clock_gettime_fn(clockid_t, struct timespec *);

/* ZUS_TEST_HOSTS: name=ADDRESS,ADDRESS;name=sleep:MS,ADDRESS */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    getaddrinfo_fn *next = (getaddrinfo_fn *)dlsym(RTLD_NEXT, "getaddrinfo");
    const char *hosts = getenv("ZUS_TEST_HOSTS");
    char *copy = strdup(hosts ? hosts : ""), *rest = copy, *host;
    struct addrinfo **end = found;
    int code = EAI_AGAIN, known = 0;
    while (name && !known && (host = strsep(&rest, ";"))) {
        char *addresses = strchr(host, '='), *address;
        if (!addresses)
            continue;
        *addresses++ = '\0';
        if (strcmp(host, name) != 0)
            continue;
        *found = NULL;
        known = 1;
        while ((address = strsep(&addresses, ","))) {
            if (strncmp(address, "sleep:", 6) == 0) {
                usleep((useconds_t)atoi(address + 6) * 1000);
                continue;
            }
            struct addrinfo numeric = hints ? *hints : (struct addrinfo){0};
            numeric.ai_flags = AI_NUMERICHOST;
            numeric.ai_family = AF_UNSPEC;
            code = next(address, service, &numeric, end);
            if (code != 0)
                break;
            while (*end)
                end = &(*end)->ai_next;
        }
    }
    free(copy);
    return known ? code : next(name, service, hints, found);
}

static int64_t advanced;

void zus_test_advance(int64_t seconds)
{
    __atomic_add_fetch(&advanced, seconds, __ATOMIC_SEQ_CST);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static clock_gettime_fn *next;
    if (!next)
        next = (clock_gettime_fn *)dlsym(RTLD_NEXT, "clock_gettime");
    int code = next(clock, now);
    if (clock == CLOCK_MONOTONIC)
        now->tv_sec += __atomic_load_n(&advanced, __ATOMIC_SEQ_CST);
    return code;
}
