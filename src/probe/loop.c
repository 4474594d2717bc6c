/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "distem/error.h"
#include "distem/units.h"

#define EVENTS_PER_TURN 256

struct loop {
    int epoll;
    GPtrArray *heap; /* Of struct timer: timer i (from 1) is at place i - 1 and is not after its children 2i and 2i + 1. */
};

struct loop *loop_new(GError **error)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) {
        fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot wait for sockets (epoll_create1)");
        return NULL;
    }
    /* Timers are 50 us late by default; failing to change that costs precision only. */
    prctl(PR_SET_TIMERSLACK, 1);
    struct loop *loop = g_new0(struct loop, 1);
    loop->epoll = epoll;
    loop->heap = g_ptr_array_new();
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop) {
        close(loop->epoll);
        g_ptr_array_unref(loop->heap);
        g_free(loop);
    }
}

int64_t loop_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

bool loop_watch(struct loop *loop, struct watch *watch, uint32_t events, GError **error)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &event) == 0 ||
           fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot wait for a socket (epoll_ctl)");
}

void loop_close(struct watch *watch)
{
    if (watch->fd >= 0) {
        /* Its descriptor is the socket's only one, so epoll forgets it, too. */
        close(watch->fd);
        watch->fd = -1;
    }
}

static struct timer *timer_at(const struct loop *loop, unsigned place)
{
    return loop->heap->pdata[place - 1];
}

static void put_timer(struct loop *loop, struct timer *timer, unsigned place)
{
    loop->heap->pdata[place - 1] = timer;
    timer->place = place;
}

/* Moves 'timer', which may stand at 'place' as far as all others are concerned, up or down to where it belongs. */
static void sift(struct loop *loop, struct timer *timer, unsigned place)
{
    while (place > 1 && timer->at < timer_at(loop, place / 2)->at) {
        put_timer(loop, timer_at(loop, place / 2), place);
        place /= 2;
    }
    for (;;) {
        unsigned child = 2 * place;
        if (child < loop->heap->len && timer_at(loop, child + 1)->at < timer_at(loop, child)->at) {
            child++;
        }
        if (child > loop->heap->len || timer->at <= timer_at(loop, child)->at) {
            break;
        }
        put_timer(loop, timer_at(loop, child), place);
        place = child;
    }
    put_timer(loop, timer, place);
}

void loop_timer_set(struct loop *loop, struct timer *timer, int64_t at)
{
    timer->at = at;
    if (!timer->place) {
        g_ptr_array_add(loop->heap, timer);
        timer->place = loop->heap->len;
    }
    sift(loop, timer, timer->place);
}

void loop_timer_clear(struct loop *loop, struct timer *timer)
{
    if (!timer->place) {
        return;
    }
    struct timer *last = timer_at(loop, loop->heap->len);
    g_ptr_array_set_size(loop->heap, (int)loop->heap->len - 1);
    if (last != timer) {
        sift(loop, last, timer->place);
    }
    timer->place = 0;
}

/* Fires the timers that were due at 'now'; those that they set to before 'now' wait for the next turn. */
static void fire_timers(struct loop *loop, int64_t now)
{
    for (unsigned left = loop->heap->len; left && loop->heap->len && timer_at(loop, 1)->at <= now; left--) {
        struct timer *timer = timer_at(loop, 1);
        loop_timer_clear(loop, timer);
        timer->fire(timer);
    }
}

bool loop_turn(struct loop *loop, GError **error)
{
    struct timespec wait = {0};
    if (loop->heap->len) {
        int64_t ns = timer_at(loop, 1)->at - loop_now();
        ns = MAX(ns, 0);
        wait.tv_sec = ns / NS_PER_S;
        wait.tv_nsec = ns % NS_PER_S;
    }
    struct epoll_event events[EVENTS_PER_TURN];
    int n = epoll_pwait2(loop->epoll, events, EVENTS_PER_TURN, loop->heap->len ? &wait : NULL, NULL);
    if (n < 0 && errno != EINTR) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot wait for sockets (epoll_pwait2)");
    }
    /* Timers come first: what is to be sent now is not to wait for what has arrived, whose time is known already. */
    fire_timers(loop, loop_now());
    for (int i = 0; i < n; i++) {
        struct watch *watch = events[i].data.ptr;
        if (watch->fd >= 0) {
            watch->ready(watch, events[i].events);
        }
    }
    return true;
}
