/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "realtime.h"

#include <signal.h>
#include <time.h>

#include "distem/units.h"

#define STACK_SIZE ((size_t)256 << 10)

int realtime_start(pthread_t *ret, void *(*run)(void *aux), void *aux, bool realtime)
{
    const struct sched_param param = {.sched_priority = realtime ? 1 : 0};
    sigset_t all, before;
    pthread_attr_t attributes;
    int errnum = pthread_attr_init(&attributes);
    if (errnum) {
        return errnum;
    }
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, realtime ? SCHED_FIFO : SCHED_OTHER);
    pthread_attr_setschedparam(&attributes, &param);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errnum = pthread_create(ret, &attributes, run, aux);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return errnum;
}

int64_t realtime_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}
