/* An epoll loop with a timer every 10 ms, which says how late it was. */
#ifndef LOOP_H
#define LOOP_H

#include "bench.h"
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TICK 0.010

struct loop {
    int epoll, timer;
    double begun, due, latest;
};

static inline void loop_watch(struct loop *loop, int descriptor, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = descriptor};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0 &&
        epoll_ctl(loop->epoll, EPOLL_CTL_MOD, descriptor, &event) != 0)
        fail("epoll", descriptor, NULL);
}

static inline struct loop loop_begin(void)
{
    struct loop loop = {.epoll = epoll_create1(0), .timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)};
    struct itimerspec every = {.it_interval.tv_nsec = 10000000, .it_value.tv_nsec = 10000000};
    loop_watch(&loop, loop.timer, EPOLLIN);
    timerfd_settime(loop.timer, 0, &every, NULL);
    loop.begun = seconds(CLOCK_MONOTONIC);
    loop.due = loop.begun + TICK;
    return loop;
}

static inline int loop_wait(struct loop *loop, struct epoll_event *events, int most)
{
    uint64_t ticks;
    int ready = epoll_wait(loop->epoll, events, most, -1);
    if (read(loop->timer, &ticks, sizeof ticks) == sizeof ticks) {
        double late = seconds(CLOCK_MONOTONIC) - loop->due; /* of the first tick that it missed */
        if (late > loop->latest)
            loop->latest = late;
        loop->due += TICK * (double)ticks;
    }
    return ready;
}

static inline void loop_end(const struct loop *loop)
{
    printf("%.6f %.6f\n", seconds(CLOCK_MONOTONIC) - loop->begun, loop->latest);
}

#endif
