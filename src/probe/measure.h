/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds of measurements have in common, and how they are run. */
#ifndef DISTEM_PROBE_MEASURE_H
#define DISTEM_PROBE_MEASURE_H 1

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <glib.h>
#include <jansson.h>

#include "input.h"
#include "loop.h"
#include "socket.h"

/* Packets that are sent before the measured ones at most, and how many in a test's timeout. */
#define WARM_PACKETS 9
#define WARM_PACKETS_PER_TIMEOUT 3

struct measurement;

/* What all measurements of this process share. */
struct prober {
    const char *netns; /* The folder of the vnodes' network namespaces. */
    FILE *output;
    struct loop *loop;
    GHashTable *running; /* Set of struct measurement. */
    GHashTable *remote;  /* Those whose other end is elsewhere, by &test->id. */
    GPtrArray *ended;    /* Owned; freed between turns of the loop, which may still hold events of what has ended. */
    GQueue letters;      /* Messages between ends here, to be delivered between turns. */
};

/* Returns a prober that measures nothing yet, or NULL when the machine lacks what any measurement needs. 'netns' and 'output' are
 * borrowed. */
struct prober *prober_new(const char *netns, FILE *output, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Frees it with all that runs; NULL is fine. */
void prober_free(struct prober *);
/* Starts the ends of 'test' that are here; 'phase' as in struct measurement. */
void prober_start(struct prober *, struct probe_test *test, double phase);
/* Gives 'message' to the end here of test 'id', if that still runs. */
void prober_deliver(struct prober *, int64_t id, const json_t *message);
/* To be called after each turn of the loop. */
void prober_settle(struct prober *);

/* One end of a test under way: the first member of its kind's own structure, which starts zeroed. */
struct measurement {
    const struct measurement_kind *kind;
    enum probe_end end;
    struct probe_test *test;
    struct prober *prober;
    struct loop *loop;
    bool joined;              /* The other end is here, too, */
    struct measurement *peer; /* ... and still runs; else NULL. */
    struct timer deadline;    /* Set by the prober: it ends what did not end itself. */
    double phase;             /* From 0 to 1: see measurement_first(). */
    bool ended;
};

/* An end of a kind of measurement. It lives on callbacks of the loop and on messages until it calls measurement_done() (only an end
 * "from") or measurement_fail(), once, after which the callback returns without touching it again; or until it is stopped: an end
 * "to", because "from" has answered. */
struct measurement_kind {
    size_t size; /* Of its structure. */
    /* Says how long the test may take at most, in ns. */
    int64_t (*limit)(const struct probe_test *);
    /* Opens the sockets and starts measuring. Must not end the measurement: false with an error is for that. */
    bool (*start)(struct measurement *, GError **error);
    /* Handles a message from the other end; NULL where there is none. Members that are missing count as 0. */
    void (*told)(struct measurement *, const json_t *message);
    /* Closes sockets, takes back timers, frees: also for what did not start completely. The structure itself stays. */
    void (*stop)(struct measurement *);
};

extern const struct measurement_kind measurement_rtt, measurement_loss_source, measurement_loss_sink, measurement_goodput_source,
    measurement_goodput_sink;

/* Returns when a measurement that sends every test->interval is to begin. The tests of a round, which start together, would else
 * send together for ever, and overflow the kernel's queues by their number alone. */
int64_t measurement_first(const struct measurement *);

/* Returns how long a test that sends test->count packets may take at most, in ns. */
int64_t measurement_packets_limit(const struct probe_test *);

/* Opens a socket in the namespace of this end, bound to its address and any port; else as socket_open(). */
int measurement_socket(const struct measurement *, int type, int protocol, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sends 'message', whose reference is taken over, to the other end. It arrives after the callback has returned. */
void measurement_tell(struct measurement *, json_t *message);
/* Returns the socket of the other end, as its message with the port says. */
struct endpoint measurement_peer(const struct measurement *, const json_t *message);

/* Ends a measurement with its result, an object without an id, whose reference is taken over. */
void measurement_done(struct measurement *, json_t *result);
/* Ends a measurement with an error, which is freed. */
void measurement_fail(struct measurement *, GError *error);

/* Returns 63 random bits that mark the packets of one measurement. */
uint64_t measurement_nonce(void);

#endif
