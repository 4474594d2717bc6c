/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "lateness.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "distem/error.h"

#define NS_PER_S INT64_C(1000000000)
#define STACK_SIZE ((size_t)128 << 10)

struct lateness {
    pthread_t thread;
    int64_t period;
    atomic_bool ends;
    atomic_uint noted;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void *watch(void *aux)
{
    struct lateness *lateness = aux;
    while (!atomic_load(&lateness->ends)) {
        int64_t due = now_ns() + lateness->period;
        const struct timespec when = {.tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
        if (now_ns() - due > LATENESS_NOTED) {
            atomic_fetch_add(&lateness->noted, 1);
        }
    }
    return NULL;
}

/* Starts the thread with the lowest real-time priority, and all signals left to the others. Returns an errno. */
static int start(struct lateness *lateness)
{
    const struct sched_param param = {.sched_priority = 1};
    sigset_t all, before;
    pthread_attr_t attributes;
    int errnum = pthread_attr_init(&attributes);
    if (errnum) {
        return errnum;
    }
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
    pthread_attr_setschedparam(&attributes, &param);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errnum = pthread_create(&lateness->thread, &attributes, watch, lateness);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return errnum;
}

struct lateness *lateness_new(int64_t period, GError **error)
{
    struct lateness *lateness = g_new0(struct lateness, 1);
    lateness->period = period;
    int errnum = start(lateness);
    if (errnum) {
        fail(error, DISTEM_ERROR_SYSTEM, errnum, "cannot start a thread with real-time priority");
        g_free(lateness);
        return NULL;
    }
    return lateness;
}

void lateness_free(struct lateness *lateness)
{
    if (lateness) {
        atomic_store(&lateness->ends, true);
        pthread_join(lateness->thread, NULL);
        g_free(lateness);
    }
}

uint32_t lateness_take(struct lateness *lateness)
{
    return atomic_exchange(&lateness->noted, 0);
}
