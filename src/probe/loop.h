/* SPDX-License-Identifier: Apache-2.0 */
/* The prober's loop: thousands of sockets (epoll) and of timers (a heap) with times in ns, in one thread. */
#ifndef DISTEM_PROBE_LOOP_H
#define DISTEM_PROBE_LOOP_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct loop;

/* A socket that is waited for. Lives in the structure of whoever handles it. */
struct watch {
    void (*ready)(struct watch *, uint32_t events); /* 'events' as epoll gives them. */
    int fd;                                         /* -1: closed. */
};

/* Something to do at a time. */
struct timer {
    void (*fire)(struct timer *); /* The timer is no longer set then; it may be set again. */
    int64_t at;                   /* Monotonic time in ns. */
    unsigned place;               /* In the heap, from 1; 0: not set. */
};

/* Returns a loop without anything to wait for, or NULL with an error. */
struct loop *loop_new(GError **error);
/* Frees the loop (NULL is fine), not what it waited for. */
void loop_free(struct loop *);

/* Returns the monotonic time in ns, read now. */
int64_t loop_now(void);

/* From now on calls watch->ready when 'events' (EPOLLIN, EPOLLOUT) come up on watch->fd. */
bool loop_watch(struct loop *, struct watch *watch, uint32_t events, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Closes watch->fd and waits for it no longer. The structure must stay until the turn of the loop ends; -1 is fine. */
void loop_close(struct watch *);

/* Sets (or moves) 'timer' to fire at 'at'; a time that has passed fires in the next turn. */
void loop_timer_set(struct loop *, struct timer *timer, int64_t at);
/* Takes 'timer' back; fine when it is not set. */
void loop_timer_clear(struct loop *, struct timer *timer);

/* Waits for sockets and timers and handles what is due. Returns false when waiting fails. */
bool loop_turn(struct loop *, GError **error) G_GNUC_WARN_UNUSED_RESULT;

#endif
