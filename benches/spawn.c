/* Runs a command once, and prints the seconds of wall and CPU time of the whole process: SPAWN COMMAND ARGUMENT... */
#define _GNU_SOURCE
#include "bench.h"
#include <spawn.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv)
{
    pid_t child;
    int status;
    struct rusage used;
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    double start = seconds(CLOCK_MONOTONIC);
    if (argc < 2 || posix_spawnp(&child, argv[1], &quiet, NULL, argv + 1, environ) != 0)
        fail("spawn", argc, "not started");
    wait4(child, &status, 0, &used);
    double wall = seconds(CLOCK_MONOTONIC) - start;
    if (status != 0)
        fail(argv[1], status, "failed");
    printf("%.6f %.6f\n", wall,
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    return 0;
}
