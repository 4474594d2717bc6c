/* SPDX-License-Identifier: Apache-2.0 */
/* How many containers a second start and stop, with one worker process and with several.
 *   bench-vnode [CONTAINERS [WORKERS]] */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <glib.h>

#include "tests/system/vnode-fixture.h"

static unsigned containers = 200, workers_max = 4;

static void take_results(struct place *place)
{
    for (unsigned i = 0; i < containers; i++) {
        struct vnode_result *result = place_next(place);
        g_assert_no_error(result->error);
        vnode_result_free(result);
    }
}

/* Starts and stops all; returns how many starts there were a second. */
static double measure(unsigned workers)
{
    struct place *place = place_new(workers);
    for (uint32_t id = 1; id <= containers; id++) {
        g_free(place_netns(place, id));
    }
    gint64 begin = g_get_monotonic_time();
    for (uint32_t id = 1; id <= containers; id++) {
        place_queue_start(place, id, "host", 0);
    }
    take_results(place);
    gint64 started = g_get_monotonic_time();
    for (uint32_t id = 1; id <= containers; id++) {
        vnode_runner_stop(place->runner, id, 1000, true);
    }
    take_results(place);
    gint64 stopped = g_get_monotonic_time();
    double rate = containers * 1e6 / (double)(started - begin);
    printf("# %u workers: %.1f starts/s, %.1f stops/s\n", workers, rate, containers * 1e6 / (double)(stopped - started));
    fflush(stdout);
    place_free(place);
    return rate;
}

static void run(void)
{
    double one = measure(1);
    double several = measure(workers_max);
    printf("# %u containers, %u workers to one: %.2f\n", containers, workers_max, several / one);
}

static void add_benchmark(void)
{
    g_test_add_func("/vnode/rate", run);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        containers = (unsigned)MAX(1, atoi(argv[1]));
    }
    if (argc > 2) {
        workers_max = (unsigned)MAX(1, atoi(argv[2]));
    }
    argc = 1;
    return place_main(&argc, &argv, add_benchmark);
}
