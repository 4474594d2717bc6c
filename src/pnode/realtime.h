/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that must wake in time. */
#ifndef PNODE_REALTIME_H
#define PNODE_REALTIME_H 1

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts 'run' in a thread that gets no signals: with the lowest real-time priority, or as any other. Returns 0 or an errno, EPERM
 * for example where nobody may have such a priority. */
int realtime_start(pthread_t *ret, void *(*run)(void *aux), void *aux, bool realtime);

/* Returns the time of CLOCK_MONOTONIC in ns. */
int64_t realtime_now(void);

#endif
