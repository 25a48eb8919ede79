/* What the benchmark programs share: their arguments, and how time, CPU and memory are read. */
#ifndef BENCH_H
#define BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOKEN "sandbox-token"
#define USER_ID "user00001@example.com"
#define FORM_BOUNDARY "------------------------d6f1bd1f0ad4ec87"
#define FORM                                                                                                           \
    "--" FORM_BOUNDARY "\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\ndeactivate\r\n--" FORM_BOUNDARY     \
    "--\r\n"
#define JSON "{\"action\":\"deactivate\"}"

struct arguments {
    const char *api; /* such as http://127.0.0.1:8080/v2 */
    long calls;
    int form;        /* else JSON */
    const char *ca;  /* a PEM file, or NULL for the system's trust store */
};

/* PROGRAM API CALLS form|json [CA.pem] */
static inline struct arguments read_arguments(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s API CALLS form|json [CA.pem]\n", argv[0]);
        exit(2);
    }
    struct arguments a = {argv[1], atol(argv[2]), strcmp(argv[3], "form") == 0, argc > 4 ? argv[4] : NULL};
    return a;
}

static inline char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(2);
    }
    size_t size = 0, got;
    char *text = malloc(1 << 20);
    while ((got = fread(text + size, 1, (1 << 20) - 1 - size, file)) > 0)
        size += got;
    fclose(file);
    text[size] = 0;
    *length = size;
    return text;
}

static inline double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* In kB, from /proc/self/status: "VmRSS" now, "VmHWM" at its highest. */
static inline long memory(const char *field)
{
    char line[256];
    long kb = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, field, strlen(field)) == 0)
            kb = atol(line + strlen(field) + 1);
    if (status)
        fclose(status);
    return kb;
}

static inline void fail(const char *what, long number, const char *why)
{
    fprintf(stderr, "%s: %ld: %s\n", what, number, why ? why : "");
    exit(1);
}

static inline void timed(long calls, void (*call)(void *), void *context)
{
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (long i = 0; i < calls; i++)
        call(context);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    wall = seconds(CLOCK_MONOTONIC) - wall;
    printf("%.9f %.9f\n", wall / (double)calls, cpu / (double)calls);
    fflush(stdout);
}

/* Makes the calls. With BENCH_TURNS set, that many at each line on standard input, after some to warm up, and prints the
 * seconds of wall and CPU time of one, so that programs can take short turns. With BENCH_MEMORY set, prints the memory
 * after a tenth of the calls, after all, and at its highest. */
static inline void run(long calls, void (*call)(void *), void *context)
{
    char line[16];
    if (getenv("BENCH_TURNS")) {
        while (fgets(line, sizeof line, stdin)) {
            for (long i = 0; i < calls / 5 + 1; i++)
                call(context);
            timed(calls, call, context);
        }
    } else if (getenv("BENCH_MEMORY")) {
        for (long i = 0; i < calls / 10; i++)
            call(context);
        long before = memory("VmRSS");
        for (long i = calls / 10; i < calls; i++)
            call(context);
        printf("%ld %ld %ld\n", before, memory("VmRSS"), memory("VmHWM"));
    } else {
        timed(calls, call, context);
    }
}

#endif
