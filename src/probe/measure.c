/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "measure.h"

#include <inttypes.h>
#include <math.h>

#include "distem/error.h"
#include "distem/units.h"

#define SPREAD_MAX NS_PER_S

static const struct measurement_kind *const kinds[PROBE_KINDS][PROBE_ENDS] = {
    [PROBE_RTT] = {[PROBE_FROM] = &measurement_rtt},
    [PROBE_LOSS] = {[PROBE_FROM] = &measurement_loss_source, [PROBE_TO] = &measurement_loss_sink},
    [PROBE_GOODPUT] = {[PROBE_FROM] = &measurement_goodput_source, [PROBE_TO] = &measurement_goodput_sink},
};

/* A message on its way from one end here to the other. */
struct letter {
    struct measurement *to;
    json_t *message;
};

uint64_t measurement_nonce(void)
{
    return ((uint64_t)g_random_int() << 32 | g_random_int()) >> 1;
}

int64_t measurement_first(const struct measurement *m)
{
    return loop_now() + llround(m->phase * (double)MIN(m->test->interval, SPREAD_MAX));
}

int64_t measurement_packets_limit(const struct probe_test *test)
{
    /* A machine that has much else to do keeps a pace of its own, and answers late. */
    int64_t pace = MAX(2 * test->interval, 10 * NS_PER_MS);
    return 2 * test->timeout * (WARM_PACKETS / WARM_PACKETS_PER_TIMEOUT + 2) + test->count * pace + 10 * NS_PER_S;
}

int measurement_socket(const struct measurement *m, int type, int protocol, GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/%" PRId64, m->prober->netns, m->test->vnode[m->end]);
    return socket_open(path, m->test->name[m->end], &m->test->address[m->end], type, protocol, error);
}

/* Writes 'object', whose reference is taken over, as the test's line. */
static void write_line(const struct measurement *m, json_t *object)
{
    json_object_set_new(object, "id", json_integer(m->test->id));
    /* Errors of the stream stay with it: see probe_serve(). */
    json_dumpf(object, m->prober->output, JSON_COMPACT);
    fputc('\n', m->prober->output);
    fflush(m->prober->output);
    json_decref(object);
}

void measurement_tell(struct measurement *m, json_t *message)
{
    if (!m->joined) {
        write_line(m, json_pack("{so}", "peer", message));
    } else if (m->peer) {
        struct letter letter = {.to = m->peer, .message = message};
        g_queue_push_tail(&m->prober->letters, g_memdup2(&letter, sizeof letter));
    } else {
        json_decref(message);
    }
}

struct endpoint measurement_peer(const struct measurement *m, const json_t *message)
{
    return endpoint_of(&m->test->address[!m->end], (uint16_t)json_integer_value(json_object_get(message, "port")));
}

/* Ends it without a word. */
static void end(struct measurement *m)
{
    g_assert(!m->ended);
    m->ended = true;
    m->kind->stop(m);
    loop_timer_clear(m->loop, &m->deadline);
    if (m->peer) {
        m->peer->peer = NULL;
    }
    g_hash_table_remove(m->prober->running, m);
    if (g_hash_table_lookup(m->prober->remote, &m->test->id) == m) {
        g_hash_table_remove(m->prober->remote, &m->test->id);
    }
    g_ptr_array_add(m->prober->ended, m);
}

void measurement_done(struct measurement *m, json_t *result)
{
    if (kinds[m->test->kind][PROBE_TO]) {
        measurement_tell(m, json_pack("{sb}", "end", 1));
    }
    end(m);
    write_line(m, result);
}

void measurement_fail(struct measurement *m, GError *error)
{
    const struct probe_test *test = m->test;
    if (m->end == PROBE_TO) {
        measurement_tell(m, json_pack("{ss}", "error", error->message));
        end(m);
    } else {
        char from[IP_TEXT_SIZE], to[IP_TEXT_SIZE];
        g_autofree char *message = g_strdup_printf("%s from %s (%s) to %s (%s): %s", probe_kind_name(test->kind),
                                                   test->name[PROBE_FROM], ip_format(&test->address[PROBE_FROM], from),
                                                   test->name[PROBE_TO], ip_format(&test->address[PROBE_TO], to), error->message);
        measurement_done(m, json_pack("{ss}", "error", message));
    }
    g_error_free(error);
}

static void deadline_passed(struct timer *timer)
{
    struct measurement *m = G_STRUCT_MEMBER_P(timer, -(glong)offsetof(struct measurement, deadline));
    GError *error = NULL;
    fail(&error, DISTEM_ERROR_SYSTEM, 0, "no result within %.0f s", (double)m->kind->limit(m->test) / NS_PER_S);
    measurement_fail(m, error);
}

/* Handles 'message' from the other end. */
static void told(struct measurement *m, const json_t *message)
{
    const char *problem = json_string_value(json_object_get(message, "error"));
    if (m->end == PROBE_TO && json_object_get(message, "end")) {
        end(m);
    } else if (m->end == PROBE_FROM && problem) {
        measurement_fail(m, g_error_new_literal(DISTEM_ERROR, DISTEM_ERROR_SYSTEM, problem));
    } else if (m->kind->told) {
        m->kind->told(m, message);
    }
}

static struct measurement *new_measurement(struct prober *prober, struct probe_test *test, enum probe_end end, double phase)
{
    const struct measurement_kind *kind = kinds[test->kind][end];
    if (!test->here[end] || !kind) {
        return NULL;
    }
    struct measurement *m = g_malloc0(kind->size);
    m->kind = kind;
    m->end = end;
    m->test = probe_test_ref(test);
    m->prober = prober;
    m->loop = prober->loop;
    m->phase = phase;
    m->deadline.fire = deadline_passed;
    loop_timer_set(m->loop, &m->deadline, loop_now() + kind->limit(test));
    g_hash_table_add(prober->running, m);
    return m;
}

void prober_start(struct prober *prober, struct probe_test *test, double phase)
{
    struct measurement *ends[PROBE_ENDS];
    for (enum probe_end e = 0; e < PROBE_ENDS; e++) {
        ends[e] = new_measurement(prober, test, e, phase);
    }
    for (enum probe_end e = 0; e < PROBE_ENDS; e++) {
        if (ends[e] && ends[!e]) {
            ends[e]->joined = true;
            ends[e]->peer = ends[!e];
        } else if (ends[e]) {
            g_hash_table_replace(prober->remote, &ends[e]->test->id, ends[e]);
        }
    }
    for (enum probe_end e = 0; e < PROBE_ENDS; e++) {
        GError *error = NULL;
        if (ends[e] && !ends[e]->kind->start(ends[e], &error)) {
            measurement_fail(ends[e], error);
        }
    }
}

void prober_deliver(struct prober *prober, int64_t id, const json_t *message)
{
    struct measurement *m = g_hash_table_lookup(prober->remote, &id);
    if (m) {
        told(m, message);
    }
}

static void measurement_free(void *data)
{
    struct measurement *m = data;
    probe_test_unref(m->test);
    g_free(m);
}

void prober_settle(struct prober *prober)
{
    struct letter *letter;
    while ((letter = g_queue_pop_head(&prober->letters))) {
        if (!letter->to->ended) {
            told(letter->to, letter->message);
        }
        json_decref(letter->message);
        g_free(letter);
    }
    g_ptr_array_set_size(prober->ended, 0);
}

struct prober *prober_new(const char *netns, FILE *output, GError **error)
{
    struct loop *loop = loop_new(error);
    if (!loop) {
        return NULL;
    }
    struct prober *prober = g_new0(struct prober, 1);
    prober->netns = netns;
    prober->output = output;
    prober->loop = loop;
    prober->running = g_hash_table_new(NULL, NULL);
    prober->remote = g_hash_table_new(g_int64_hash, g_int64_equal);
    prober->ended = g_ptr_array_new_with_free_func(measurement_free);
    return prober;
}

void prober_free(struct prober *prober)
{
    if (!prober) {
        return;
    }
    g_autoptr(GList) running = g_hash_table_get_keys(prober->running);
    for (GList *m = running; m; m = m->next) {
        end(m->data);
    }
    prober_settle(prober);
    g_hash_table_unref(prober->running);
    g_hash_table_unref(prober->remote);
    g_ptr_array_unref(prober->ended);
    loop_free(prober->loop);
    g_free(prober);
}
