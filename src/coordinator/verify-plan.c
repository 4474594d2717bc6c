/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "distem/error.h"
#include "distem/units.h"
#include "verify.h"

#define ECHO_COUNT 10
#define ECHO_FRAME 98 /* Bytes of the prober's echo request on an Ethernet. */
#define ECHO_INTERVAL (50 * NS_PER_MS)
#define TIMEOUT (2 * NS_PER_S) /* Beyond the expected time. */
#define LOSS_PAYLOAD 64
#define LOSS_FRAME (LOSS_PAYLOAD + 62) /* With the headers of UDP, IPv6 and Ethernet. */
#define LOSS_EVENTS 100                /* Enough losses to tell the rate within about a third. */

static bool number_in_range(const json_t *value, double low, double high)
{
    return json_is_number(value) && json_number_value(value) >= low && json_number_value(value) <= high;
}

static bool parse_kinds(const json_t *kinds, struct verify_options *o, GError **error)
{
    o->rtt = o->goodput = o->loss = false;
    size_t i;
    json_t *kind;
    json_array_foreach (kinds, i, kind) {
        const char *word = json_is_string(kind) ? json_string_value(kind) : "";
        bool *flag = !strcmp(word, "rtt")       ? &o->rtt
                     : !strcmp(word, "goodput") ? &o->goodput
                     : !strcmp(word, "loss")    ? &o->loss
                                                : NULL;
        if (!flag) {
            return fail(error, DISTEM_ERROR_INVALID, 0, "\"kinds\" knows rtt, goodput and loss, not \"%s\"", word);
        }
        *flag = true;
    }
    return i > 0 || fail(error, DISTEM_ERROR_INVALID, 0, "\"kinds\" must be an array that names rtt, goodput or loss");
}

static bool parse_tolerance(const json_t *tolerance, struct verify_options *o, GError **error)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)tolerance, key, value) {
        if (!strcmp(key, "rtt") && number_in_range(value, 0, 1)) {
            o->rtt_relative = json_number_value(value);
        } else if (!strcmp(key, "rtt_ns") && number_in_range(value, 0, 1e18)) {
            o->rtt_absolute = (int64_t)json_number_value(value);
        } else if (!strcmp(key, "goodput") && number_in_range(value, 0, 1)) {
            o->goodput_relative = json_number_value(value);
        } else {
            return fail(error, DISTEM_ERROR_INVALID, 0,
                        "\"tolerance\": \"%s\" is not usable: it takes rtt and goodput (0 to 1) and rtt_ns (nanoseconds)", key);
        }
    }
    return true;
}

bool verify_options_parse(const json_t *body, struct verify_options *ret, GError **error)
{
    struct verify_options o = {.rtt = true,
                               .goodput = true,
                               .loss = true,
                               .rtt_relative = 0.01,
                               .rtt_absolute = 300000,
                               .goodput_relative = 0.03,
                               .seed = 1};
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)body, key, value) {
        bool ok = true;
        if (!strcmp(key, "kinds")) {
            ok = parse_kinds(value, &o, error);
        } else if (!strcmp(key, "tolerance")) {
            ok = parse_tolerance(value, &o, error);
        } else if (!strcmp(key, "sample") && json_is_integer(value) && number_in_range(value, 1, 1e6)) {
            o.sample = (uint32_t)json_integer_value(value);
        } else if (!strcmp(key, "seed") && json_is_integer(value) && number_in_range(value, 0, UINT32_MAX)) {
            o.seed = (uint32_t)json_integer_value(value);
        } else if (!strcmp(key, "pairs") && json_is_array(value)) {
            o.pairs = value;
        } else {
            ok = fail(
                error, DISTEM_ERROR_INVALID, 0,
                "\"%s\" is not usable: a verification takes pairs (an array of [from, to]), sample (1 to 1000000), seed, kinds and "
                "tolerance",
                key);
        }
        if (!ok) {
            return false;
        }
    }
    *ret = o;
    return true;
}

struct pair {
    const struct vnode *a, *b;
};

static bool named_pairs(const struct platform *platform, const json_t *list, GArray *pairs, GError **error)
{
    g_autoptr(GHashTable) index = platform_index_vnodes(platform);
    size_t i;
    json_t *entry;
    json_array_foreach (list, i, entry) {
        const char *names[2] = {json_string_value(json_array_get(entry, 0)), json_string_value(json_array_get(entry, 1))};
        if (json_array_size(entry) != 2 || !names[0] || !names[1]) {
            return fail(error, DISTEM_ERROR_INVALID, 0, "\"pairs\"[%zu] must be an array of two vnodes' names", i);
        }
        struct pair pair = {g_hash_table_lookup(index, names[0]), g_hash_table_lookup(index, names[1])};
        if (!pair.a || !pair.b || pair.a == pair.b) {
            return fail(error, pair.a && pair.b ? DISTEM_ERROR_INVALID : DISTEM_ERROR_NOT_FOUND, 0,
                        "\"pairs\"[%zu]: %s and %s are not two vnodes of platform %s", i, names[0], names[1], platform->name);
        }
        g_array_append_val(pairs, pair);
    }
    return true;
}

/* Chooses 'count' of all pairs of 'vnodes', at random but always the same for a seed. */
static void sampled_pairs(const GPtrArray *vnodes, uint64_t count, uint32_t seed, GArray *pairs)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    while (pairs->len < count) {
        gint32 i = g_rand_int_range(random, 0, (gint32)vnodes->len);
        gint32 k = g_rand_int_range(random, 0, (gint32)vnodes->len);
        gint64 key = (gint64)MIN(i, k) << 32 | MAX(i, k);
        if (i != k && g_hash_table_add(seen, g_memdup2(&key, sizeof key))) {
            struct pair pair = {vnodes->pdata[MIN(i, k)], vnodes->pdata[MAX(i, k)]};
            g_array_append_val(pairs, pair);
        }
    }
}

static bool choose_pairs(const struct platform *platform, const struct verify_options *o, GArray *pairs, GError **error)
{
    if (o->pairs) {
        return named_pairs(platform, o->pairs, pairs, error);
    }
    g_autoptr(GPtrArray) vnodes = g_ptr_array_new();
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        if (platform_vnode(platform, i)->vifaces->len) {
            g_ptr_array_add(vnodes, platform_vnode(platform, i));
        }
    }
    uint64_t all = vnodes->len ? (uint64_t)vnodes->len * (vnodes->len - 1) / 2 : 0;
    uint64_t wanted = MIN(all, o->sample ? o->sample : VERIFY_PAIRS_DEFAULT);
    if (wanted < all) {
        sampled_pairs(vnodes, wanted, o->seed, pairs);
        return true;
    }
    for (unsigned i = 0; i < vnodes->len; i++) {
        for (unsigned k = i + 1; k < vnodes->len; k++) {
            struct pair pair = {vnodes->pdata[i], vnodes->pdata[k]};
            g_array_append_val(pairs, pair);
        }
    }
    return true;
}

static void expectation_free(void *data)
{
    expectation_clear(data);
    g_free(data);
}

/* Says whether TCP can be expected to fill this way: nothing on it makes a sender slow down or a receiver reorder. */
static bool way_carries_tcp(const struct path *path)
{
    for (unsigned i = 0; i < path->hops->len; i++) {
        const struct hop *hop = &g_array_index(path->hops, struct hop, i);
        const struct impairment *impairment = hop->output ? &hop->viface->output : &hop->viface->input;
        if (impairment->jitter || impairment_loss(impairment) > 0 || impairment->corruption || impairment->duplication ||
            impairment->reordering) {
            return false;
        }
    }
    return true;
}

/* Says whether something on this way follows a trace: then nothing can be expected there. */
static bool way_follows_trace(const struct path *path)
{
    for (unsigned i = 0; i < path->hops->len; i++) {
        const struct hop *hop = &g_array_index(path->hops, struct hop, i);
        const struct impairment *impairment = hop->output ? &hop->viface->output : &hop->viface->input;
        if (impairment->latency_trace || impairment->loss_trace || impairment->bandwidth_trace) {
            return true;
        }
    }
    return false;
}

/* Returns the least bandwidth of both ways, or 0. */
static uint64_t least_bandwidth(const struct expectation *e)
{
    uint64_t least = 0;
    const struct path *ways[] = {&e->there, &e->back};
    for (unsigned w = 0; w < 2; w++) {
        for (unsigned i = 0; i < ways[w]->hops->len; i++) {
            const struct hop *hop = &g_array_index(ways[w]->hops, struct hop, i);
            uint64_t bandwidth = hop->output ? hop->viface->output.bandwidth : hop->viface->input.bandwidth;
            least = bandwidth && (!least || bandwidth < least) ? bandwidth : least;
        }
    }
    return least;
}

/* Returns how long frames of 'size' bytes must be apart to pass 'bandwidth' (0: any) at half its rate at most, and at least
 * 'least'. */
static int64_t spacing(uint64_t bandwidth, unsigned size, int64_t least)
{
    return bandwidth ? MAX(least, (int64_t)(2.0 * size * 8 * (double)NS_PER_S / (double)bandwidth)) : least;
}

static void describe_test(json_t *test, struct measurement *m)
{
    const struct expectation *e = m->expected;
    uint64_t bandwidth = least_bandwidth(e);
    int64_t timeout = e->rtt + 8 * e->rtt_jitter + spacing(bandwidth, ECHO_FRAME, 0) + TIMEOUT;
    switch (m->kind) {
    case MEASURE_RTT:
        m->count = ECHO_COUNT;
        json_object_set_new(test, "kind", json_string("rtt"));
        json_object_set_new(test, "count", json_integer(m->count));
        json_object_set_new(test, "interval_ns", json_integer(spacing(bandwidth, ECHO_FRAME, ECHO_INTERVAL)));
        json_object_set_new(test, "timeout_ns", json_integer(timeout));
        break;
    case MEASURE_LOSS:
        m->count = (unsigned)CLAMP(LOSS_EVENTS * (double)PPB_ONE / e->loss, LOSS_EVENTS, VERIFY_LOSS_COUNT_MAX);
        json_object_set_new(test, "kind", json_string("loss"));
        json_object_set_new(test, "count", json_integer(m->count));
        json_object_set_new(test, "interval_ns", json_integer(spacing(bandwidth, LOSS_FRAME, NS_PER_MS)));
        json_object_set_new(test, "size", json_integer(LOSS_PAYLOAD));
        json_object_set_new(test, "timeout_ns", json_integer(timeout));
        break;
    case MEASURE_GOODPUT:
        json_object_set_new(test, "kind", json_string("goodput"));
        json_object_set_new(test, "bandwidth", json_integer((json_int_t)e->bandwidth));
        break;
    }
}

/* Returns the test that every kind begins with. */
static json_t *new_test(unsigned id, const struct expectation *e)
{
    char from[IP_TEXT_SIZE], to[IP_TEXT_SIZE];
    return json_pack("{s:I, s:s, s:s, s:I, s:I, s:s, s:s}", "id", (json_int_t)id, "from", e->from->name, "to", e->to->name,
                     "from_vnode", (json_int_t)e->from->id, "to_vnode", (json_int_t)e->to->id, "from_address",
                     ip_format(&e->from_address, from), "to_address", ip_format(&e->to_address, to));
}

/* Adds rounds for the expectations in 'wanted', measured with 'kind'. */
static void add_rounds(struct verify_plan *plan, GHashTable *results, const GPtrArray *wanted, enum measure kind)
{
    g_autoptr(GPtrArray) split = expect_rounds(wanted);
    GArray *all = plan->measurements;
    unsigned first = all->len ? g_array_index(all, struct measurement, all->len - 1).round + 1 : 0;
    for (unsigned r = 0; r < split->len; r++) {
        const GPtrArray *round = split->pdata[r];
        for (unsigned i = 0; i < round->len; i++) {
            struct expectation *e = round->pdata[i];
            struct measurement m = {.kind = kind,
                                    .expected = e,
                                    .result = g_hash_table_lookup(results, e),
                                    .test = new_test(all->len, e),
                                    .round = first + r};
            describe_test(m.test, &m);
            g_array_append_val(all, m);
        }
    }
}

/* Works out what is expected from 'from' to 'to'. A pair without a way becomes a result with a problem, unless that may be meant.
 */
static struct expectation *expect(struct verify_plan *plan, const struct path_finder *finder, const struct vnode *from,
                                  const struct vnode *to, bool named, GHashTable *results)
{
    struct expectation *e = g_new0(struct expectation, 1);
    g_autoptr(GError) error = NULL;
    if (!expect_pair(finder, from, to, e, &error)) {
        g_free(e);
        if (!named && g_error_matches(error, DISTEM_ERROR, DISTEM_ERROR_NOT_FOUND)) {
            json_array_append_new(plan->no_way, json_pack("[s, s]", from->name, to->name));
        } else {
            json_array_append_new(plan->results, json_pack("{s:s, s:s, s:{s:b, s:s}}", "from", from->name, "to", to->name, "rtt",
                                                           "pass", 0, "problem", error->message));
            plan->unreachable++;
        }
        return NULL;
    }
    g_ptr_array_add(plan->expectations, e);
    if (way_follows_trace(&e->there) || way_follows_trace(&e->back)) {
        json_array_append_new(plan->following, json_pack("[s, s]", from->name, to->name));
        return NULL;
    }
    g_hash_table_insert(results, e, json_pack("{s:s, s:s}", "from", from->name, "to", to->name));
    return e;
}

static void measurement_clear(void *data)
{
    json_decref(((struct measurement *)data)->test);
}

static struct verify_plan new_plan(GPtrArray *expectations)
{
    struct verify_plan plan = {.expectations = expectations,
                               .measurements = g_array_new(FALSE, FALSE, sizeof(struct measurement)),
                               .no_way = json_array(),
                               .following = json_array(),
                               .results = json_array()};
    g_array_set_clear_func(plan.measurements, measurement_clear);
    return plan;
}

bool verify_plan_make(const struct platform *planned, const struct verify_options *o, struct verify_plan *ret, GError **error)
{
    g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(struct pair));
    if (!choose_pairs(planned, o, pairs, error)) {
        return false;
    }
    struct verify_plan plan = new_plan(g_ptr_array_new_with_free_func(expectation_free));
    struct path_finder *finder = path_finder_new(planned);
    g_autoptr(GHashTable) results = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)json_decref);
    g_autoptr(GPtrArray) rtt = g_ptr_array_new(), loss = g_ptr_array_new(), goodput = g_ptr_array_new();
    for (unsigned i = 0; i < pairs->len; i++) {
        const struct pair *pair = &g_array_index(pairs, struct pair, i);
        const struct vnode *ends[2] = {pair->a, pair->b};
        for (unsigned way = 0; way < 2; way++) {
            struct expectation *e = expect(&plan, finder, ends[way], ends[!way], o->pairs != NULL, results);
            if (!e) {
                break; /* No way there, or none back, or what changes by itself: said once. */
            }
            /* Losses may be the matrix', too. */
            bool tcp = e->bandwidth && !e->loss && !e->loss_back && way_carries_tcp(&e->there) && way_carries_tcp(&e->back);
            if (o->rtt && way == 0) {
                g_ptr_array_add(rtt, e);
            }
            if (o->loss && e->loss) {
                g_ptr_array_add(loss, e);
            }
            if (o->goodput && tcp) {
                g_ptr_array_add(goodput, e);
            }
            if ((o->rtt && way == 0) || (o->loss && e->loss) || (o->goodput && tcp)) {
                json_array_append(plan.results, g_hash_table_lookup(results, e));
            }
        }
    }
    add_rounds(&plan, results, rtt, MEASURE_RTT);
    add_rounds(&plan, results, loss, MEASURE_LOSS);
    add_rounds(&plan, results, goodput, MEASURE_GOODPUT);
    path_finder_free(finder);
    *ret = plan;
    return true;
}

void verify_plan_rtts(GPtrArray *expectations, struct verify_plan *ret)
{
    g_autoptr(GHashTable) results = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)json_decref);
    g_ptr_array_set_free_func(expectations, expectation_free);
    *ret = new_plan(expectations);
    for (unsigned i = 0; i < expectations->len; i++) {
        struct expectation *e = expectations->pdata[i];
        json_t *result = json_pack("{s:s, s:s}", "from", e->from->name, "to", e->to->name);
        json_array_append(ret->results, result);
        g_hash_table_insert(results, e, result);
    }
    add_rounds(ret, results, expectations, MEASURE_RTT);
}

void verify_plan_clear(struct verify_plan *plan)
{
    g_clear_pointer(&plan->measurements, g_array_unref);
    g_clear_pointer(&plan->expectations, g_ptr_array_unref);
    g_clear_pointer(&plan->no_way, json_decref);
    g_clear_pointer(&plan->following, json_decref);
    g_clear_pointer(&plan->results, json_decref);
}
