/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "impairment.h"

#include <string.h>

#include "distem/topology.h"
#include "distem/units.h"

/* Sums of latencies over 100,000 hops, there and back, stay within 63 bits. */
#define LATENCY_LIMIT ((uint64_t)(3600 * NS_PER_S))
/* A slower link needs minutes for one frame, more than tc-tbf(8) can count; a faster one exists nowhere. */
#define BANDWIDTH_LEAST UINT64_C(1000)
#define BANDWIDTH_LIMIT UINT64_C(1000000000000)
/* Below 2^32, where tc-tbf(8) ends. */
#define BYTES_LIMIT (UINT64_C(1) << 30)

enum property {
    LATENCY,
    JITTER,
    DISTRIBUTION,
    LATENCY_CORRELATION,
    LOSS,
    LOSS_CORRELATION,
    DUPLICATION,
    DUPLICATION_CORRELATION,
    CORRUPTION,
    CORRUPTION_CORRELATION,
    REORDERING,
    REORDERING_CORRELATION,
    REORDERING_GAP,
    BANDWIDTH,
    QUEUE,
    BURST,
    PROPERTIES,
};

#define NEEDS_NOTHING PROPERTIES

enum width { BITS_32, BITS_64 };

/* What a property is. Distribution and gap are no quantities: they have kind NULL. */
static const struct {
    size_t offset;
    enum width width;
    const struct quantity_kind *kind;
    uint64_t low, high;  /* Of a value other than 0. */
    enum property needs; /* Without which it says nothing. */
} properties[PROPERTIES] = {
#define AT(member) offsetof(struct impairment, member)
#define PERCENT(member, needed)                                                                                                    \
    {                                                                                                                              \
        AT(member), BITS_32, &quantity_kind_percent, 1, PPB_ONE, needed                                                            \
    }
    [LATENCY] = {AT(latency), BITS_64, &quantity_kind_time, 1, LATENCY_LIMIT, NEEDS_NOTHING},
    [JITTER] = {AT(jitter), BITS_64, &quantity_kind_time, 1, LATENCY_LIMIT, LATENCY},
    [DISTRIBUTION] = {AT(distribution), BITS_32, NULL, 0, 0, JITTER},
    [LATENCY_CORRELATION] = PERCENT(latency_correlation, JITTER),
    [LOSS] = PERCENT(loss, NEEDS_NOTHING),
    [LOSS_CORRELATION] = PERCENT(loss_correlation, LOSS),
    [DUPLICATION] = PERCENT(duplication, NEEDS_NOTHING),
    [DUPLICATION_CORRELATION] = PERCENT(duplication_correlation, DUPLICATION),
    [CORRUPTION] = PERCENT(corruption, NEEDS_NOTHING),
    [CORRUPTION_CORRELATION] = PERCENT(corruption_correlation, CORRUPTION),
    [REORDERING] = PERCENT(reordering, LATENCY),
    [REORDERING_CORRELATION] = PERCENT(reordering_correlation, REORDERING),
    [REORDERING_GAP] = {AT(reordering_gap), BITS_32, NULL, 0, 0, REORDERING},
    [BANDWIDTH] = {AT(bandwidth), BITS_64, &quantity_kind_rate, BANDWIDTH_LEAST, BANDWIDTH_LIMIT, NEEDS_NOTHING},
    [QUEUE] = {AT(queue), BITS_64, &quantity_kind_size, 1, BYTES_LIMIT, BANDWIDTH},
    [BURST] = {AT(burst), BITS_64, &quantity_kind_size, 1, BYTES_LIMIT, BANDWIDTH},
#undef PERCENT
#undef AT
};

G_STATIC_ASSERT(sizeof(enum distribution) == sizeof(uint32_t));

static uint64_t get(const struct impairment *impairment, enum property property)
{
    const char *place = (const char *)impairment + properties[property].offset;
    uint32_t narrow;
    uint64_t wide;
    if (properties[property].width == BITS_32) {
        memcpy(&narrow, place, sizeof narrow);
        return narrow;
    }
    memcpy(&wide, place, sizeof wide);
    return wide;
}

static void set(struct impairment *impairment, enum property property, uint64_t value)
{
    char *place = (char *)impairment + properties[property].offset;
    uint32_t narrow = (uint32_t)value;
    if (properties[property].width == BITS_32) {
        memcpy(place, &narrow, sizeof narrow);
    } else {
        memcpy(place, &value, sizeof value);
    }
}

static void give(struct direction *direction, enum property property, uint64_t value)
{
    set(&direction->value, property, value);
    direction->given |= UINT32_C(1) << property;
}

static void read_property(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    uint64_t number;
    if (reader_quantity(reader, value, properties[index].kind, properties[index].low, properties[index].high, &number)) {
        give(target, index, number);
    }
}

static void read_distribution(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    static const char *const words[] = {"uniform", "normal", "pareto", "paretonormal", NULL};
    const char *word;
    enum distribution distribution;
    if (!reader_string(reader, value, "a distribution: uniform, normal, pareto or paretonormal", &word)) {
        return;
    }
    if (distribution_parse(word, &distribution)) {
        give(target, index, distribution);
        return;
    }
    g_autofree char *shown = reader_printable(word), *hint = reader_suggestion(word, words);
    reader_problem(reader, "unknown distribution \"%s\"%s: expected uniform, normal, pareto or paretonormal", shown, hint);
}

static void read_gap(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    uint32_t gap;
    if (reader_integer(reader, value, 0, 1000000, &gap)) {
        give(target, index, gap);
    }
}

const struct field impairment_fields[] = {
    [LATENCY] = {"latency", read_property},
    [JITTER] = {"jitter", read_property},
    [DISTRIBUTION] = {"distribution", read_distribution},
    [LATENCY_CORRELATION] = {"latency_correlation", read_property},
    [LOSS] = {"loss", read_property},
    [LOSS_CORRELATION] = {"loss_correlation", read_property},
    [DUPLICATION] = {"duplication", read_property},
    [DUPLICATION_CORRELATION] = {"duplication_correlation", read_property},
    [CORRUPTION] = {"corruption", read_property},
    [CORRUPTION_CORRELATION] = {"corruption_correlation", read_property},
    [REORDERING] = {"reordering", read_property},
    [REORDERING_CORRELATION] = {"reordering_correlation", read_property},
    [REORDERING_GAP] = {"reordering_gap", read_gap},
    [BANDWIDTH] = {"bandwidth", read_property},
    [QUEUE] = {"queue", read_property},
    [BURST] = {"burst", read_property},
    [PROPERTIES] = {NULL, NULL},
};

/* Takes back everything that needs 'property', directly or not: dependents stand behind it in the table. */
static void drop_dependents(struct direction *direction, enum property property)
{
    uint32_t gone = UINT32_C(1) << property;
    for (enum property p = property + 1; p < PROPERTIES; p++) {
        if (properties[p].needs != NEEDS_NOTHING && gone & UINT32_C(1) << properties[p].needs) {
            gone |= UINT32_C(1) << p;
            set(&direction->value, p, 0);
            direction->given &= ~(UINT32_C(1) << p);
        }
    }
}

void direction_overlay(struct direction *base, const struct direction *over)
{
    for (enum property p = 0; p < PROPERTIES; p++) {
        if (over->given & UINT32_C(1) << p && !get(&over->value, p)) {
            drop_dependents(base, p);
        }
    }
    for (enum property p = 0; p < PROPERTIES; p++) {
        if (over->given & UINT32_C(1) << p) {
            give(base, p, get(&over->value, p));
        }
    }
}

unsigned impairment_frame_size(unsigned mtu)
{
    return (mtu ? mtu : 1500) + 14;
}

void impairment_check(struct reader *reader, const struct impairment *i, unsigned frame, const char *prefix)
{
    for (enum property p = 0; p < PROPERTIES; p++) {
        enum property needed = properties[p].needs;
        if (needed != NEEDS_NOTHING && get(i, p) && !get(i, needed)) {
            reader_problem(reader, "%s%s needs %s, which is not given", prefix, impairment_fields[p].key,
                           impairment_fields[needed].key);
        }
    }
    if (i->latency && i->jitter > i->latency) {
        g_autofree char *jitter = time_format(i->jitter), *latency = time_format(i->latency);
        reader_problem(reader,
                       "%sjitter %s is more than latency %s: expected at most that, as no frame can arrive before it was sent",
                       prefix, jitter, latency);
    }
    static const enum property byte_properties[] = {QUEUE, BURST};
    for (unsigned n = 0; n < G_N_ELEMENTS(byte_properties); n++) {
        uint64_t bytes = get(i, byte_properties[n]);
        if (bytes && bytes < frame) {
            g_autofree char *text = size_format(bytes);
            reader_problem(reader, "%s%s %s is less than one frame: expected at least %uB", prefix,
                           impairment_fields[byte_properties[n]].key, text, frame);
        }
    }
}

json_t *impairment_to_json(const struct impairment *impairment)
{
    json_t *object = json_object();
    for (enum property p = 0; p < PROPERTIES; p++) {
        uint64_t value = get(impairment, p);
        if (!value) {
            continue;
        }
        if (p == DISTRIBUTION) {
            json_object_set_new(object, impairment_fields[p].key, json_string(distribution_name(impairment->distribution)));
        } else if (p == REORDERING_GAP) {
            json_object_set_new(object, impairment_fields[p].key, json_integer((json_int_t)value));
        } else {
            g_autofree char *text = properties[p].kind->format(value);
            json_object_set_new(object, impairment_fields[p].key, json_string(text));
        }
    }
    return object;
}

bool impairment_from_json(const json_t *json, const char *file, const char *pointer, struct impairment *ret,
                          struct diagnostics *problems)
{
    struct reader reader;
    struct direction direction = {0};
    reader_init(&reader, file, pointer);
    reader_object(&reader, json, "one direction of a viface", impairment_fields, &direction);
    if (!reader.count) {
        impairment_check(&reader, &direction.value, impairment_frame_size(0), "");
    }
    bool ok = !reader.count;
    reader_finish(&reader, NULL, 0, problems);
    reader_clear(&reader);
    if (ok) {
        *ret = direction.value;
    }
    return ok;
}
