/* LD_PRELOAD for a test's child process: names that lead where the test says, and a clock that it can move. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
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

/* How often the file that SSL_CERT_FILE names was opened. */
static int trust_store_loads;

int zus_test_trust_store_loads(void)
{
    return __atomic_load_n(&trust_store_loads, __ATOMIC_SEQ_CST);
}

typedef int open_fn(const char *, int, ...);

static int counted_open(const char *symbol, const char *path, int flags, int mode)
{
    open_fn *next = (open_fn *)dlsym(RTLD_NEXT, symbol);
    const char *trust_store = getenv("SSL_CERT_FILE");
    if (trust_store && strcmp(path, trust_store) == 0)
        __atomic_add_fetch(&trust_store_loads, 1, __ATOMIC_SEQ_CST);
    return next(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    int mode = (flags & O_CREAT) ? va_arg(rest, int) : 0;
    va_end(rest);
    return counted_open("open64", path, flags, mode);
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
    if (clock == CLOCK_REALTIME && getenv("ZUS_TEST_BEFORE_1970"))
        now->tv_sec = -86400;
    return code;
}
