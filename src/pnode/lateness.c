/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "lateness.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "distem/error.h"
#include "distem/units.h"
#include "realtime.h"

struct lateness {
    pthread_t thread;
    int64_t period;
    atomic_bool ends;
    atomic_uint noted;
};

static void *watch(void *aux)
{
    struct lateness *lateness = aux;
    while (!atomic_load(&lateness->ends)) {
        int64_t due = realtime_now() + lateness->period;
        const struct timespec when = {.tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
        if (realtime_now() - due > LATENESS_NOTED) {
            atomic_fetch_add(&lateness->noted, 1);
        }
    }
    return NULL;
}

struct lateness *lateness_new(int64_t period, GError **error)
{
    struct lateness *lateness = g_new0(struct lateness, 1);
    lateness->period = period;
    int errnum = realtime_start(&lateness->thread, watch, lateness, true);
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
