/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "impairment-table.h"

#include <string.h>

#include "distem/topology.h"
#include "distem/units.h"
#include "playbacks.h"

/* Below 2^32, where tc-tbf(8) ends. */
#define BYTES_LIMIT (UINT64_C(1) << 30)

const struct property_info impairment_properties[PROPERTIES] = {
#define AT(member) offsetof(struct impairment, member)
#define PERCENT(member, needed)                                                                                                    \
    {                                                                                                                              \
        AT(member), BITS_32, &quantity_kind_percent, 1, PPB_ONE, needed, 0                                                         \
    }
#define OTHER(member, needed, more)                                                                                                \
    {                                                                                                                              \
        AT(member), BITS_32, NULL, 0, 0, needed, more                                                                              \
    }
    [LATENCY] = {AT(latency), BITS_64, &quantity_kind_time, 1, LATENCY_LIMIT, NEEDS_NOTHING, AT(latency_trace)},
    [JITTER] = {AT(jitter), BITS_64, &quantity_kind_time, 1, LATENCY_LIMIT, LATENCY, 0},
    [DISTRIBUTION] = {AT(distribution), BITS_64, NULL, 0, 0, JITTER, 0},
    [LATENCY_CORRELATION] = PERCENT(latency_correlation, JITTER),
    [KEEP_ORDER] = OTHER(keep_order, JITTER, 0),
    [LOSS] = {AT(loss), BITS_32, &quantity_kind_percent, 1, PPB_ONE, NEEDS_NOTHING, AT(loss_trace)},
    [LOSS_CORRELATION] = PERCENT(loss_correlation, LOSS),
    [GILBERT_ENTER] = PERCENT(gilbert_enter, NEEDS_NOTHING),
    [GILBERT_LEAVE] = PERCENT(gilbert_leave, GILBERT_ENTER),
    [GILBERT_BAD_LOSS] = PERCENT(gilbert_bad_loss, GILBERT_ENTER),
    [GILBERT_GOOD_LOSS] = PERCENT(gilbert_good_loss, GILBERT_ENTER),
    [MARKOV_P13] = PERCENT(markov_p13, NEEDS_NOTHING),
    [MARKOV_P31] = PERCENT(markov_p31, MARKOV_P13),
    [MARKOV_P32] = PERCENT(markov_p32, MARKOV_P13),
    [MARKOV_P23] = PERCENT(markov_p23, MARKOV_P32),
    [MARKOV_P14] = PERCENT(markov_p14, NEEDS_NOTHING),
    [DUPLICATION] = PERCENT(duplication, NEEDS_NOTHING),
    [DUPLICATION_CORRELATION] = PERCENT(duplication_correlation, DUPLICATION),
    [CORRUPTION] = PERCENT(corruption, NEEDS_NOTHING),
    [CORRUPTION_CORRELATION] = PERCENT(corruption_correlation, CORRUPTION),
    [REORDERING] = PERCENT(reordering, LATENCY),
    [REORDERING_CORRELATION] = PERCENT(reordering_correlation, REORDERING),
    [REORDERING_GAP] = {AT(reordering_gap), BITS_32, NULL, 0, 1000000, REORDERING, 0},
    [SEED] = {AT(seed), BITS_32, NULL, 0, UINT32_MAX, NEEDS_NOTHING, 0},
    [BANDWIDTH] = {AT(bandwidth), BITS_64, &quantity_kind_rate, BANDWIDTH_LEAST, BANDWIDTH_LIMIT, NEEDS_NOTHING,
                   AT(bandwidth_trace)},
    [FRAMING] = OTHER(framing, BANDWIDTH, 0),
    [OVERHEAD] = OTHER(overhead, BANDWIDTH, 0),
    [CELL] = OTHER(cell_payload, BANDWIDTH, AT(cell_size)),
    [QUEUE] = {AT(queue), BITS_64, NULL, 1, BYTES_LIMIT, BANDWIDTH, AT(queue_unit)},
    [AQM] = OTHER(aqm, BANDWIDTH, 0),
    [BURST] = {AT(burst), BITS_64, &quantity_kind_size, 1, BYTES_LIMIT, BANDWIDTH, 0},
#undef OTHER
#undef PERCENT
#undef AT
};

G_STATIC_ASSERT(PROPERTIES <= 64); /* struct direction has a bit for each. */

uint64_t impairment_get(const struct impairment *impairment, enum property property)
{
    const char *place = (const char *)impairment + impairment_properties[property].offset;
    uint32_t narrow;
    uint64_t wide;
    if (impairment_properties[property].width == BITS_32) {
        memcpy(&narrow, place, sizeof narrow);
        return narrow;
    }
    memcpy(&wide, place, sizeof wide);
    return wide;
}

static uint32_t get_second(const struct impairment *impairment, enum property property)
{
    size_t place = impairment_properties[property].second;
    uint32_t value = 0;
    if (place) {
        memcpy(&value, (const char *)impairment + place, sizeof value);
    }
    return value;
}

bool impairment_has(const struct impairment *impairment, enum property property)
{
    bool may_follow = impairment_properties[property].kind; /* Then the second member is the trace. */
    return impairment_get(impairment, property) || (may_follow && get_second(impairment, property));
}

static void set(struct impairment *impairment, enum property property, uint64_t value)
{
    char *place = (char *)impairment + impairment_properties[property].offset;
    uint32_t narrow = (uint32_t)value;
    if (impairment_properties[property].width == BITS_32) {
        memcpy(place, &narrow, sizeof narrow);
    } else {
        memcpy(place, &value, sizeof value);
    }
}

static void set_second(struct impairment *impairment, enum property property, uint32_t value)
{
    size_t place = impairment_properties[property].second;
    if (place) {
        memcpy((char *)impairment + place, &value, sizeof value);
    }
}

void direction_give(struct direction *direction, enum property property, uint64_t value, uint32_t second)
{
    set(&direction->value, property, value);
    set_second(&direction->value, property, second);
    direction->given |= UINT64_C(1) << property;
}

static void read_quantity(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    const struct property_info *info = &impairment_properties[index];
    uint64_t number;
    if (reader_quantity(reader, value, info->kind, info->low, info->high, &number)) {
        direction_give(target, index, number, 0);
    }
}

/* Reads a quantity, or the trace that it follows. */
static void read_followed(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    enum playback_quantity quantity = index == LATENCY ? PLAYBACK_LATENCY : index == LOSS ? PLAYBACK_LOSS : PLAYBACK_BANDWIDTH;
    uint64_t number;
    uint32_t trace;
    if (!json_is_object(value)) {
        read_quantity(reader, value, target, index);
    } else if (playbacks_read_property(reader, value, quantity, &number, &trace)) {
        direction_give(target, index, number, trace);
    }
}

const struct field impairment_fields[] = {
    [LATENCY] = {"latency", read_followed},
    [JITTER] = {"jitter", read_quantity},
    [DISTRIBUTION] = {"distribution", impairment_read_distribution},
    [LATENCY_CORRELATION] = {"latency_correlation", read_quantity},
    [KEEP_ORDER] = {"keep_order", impairment_read_flag},
    [LOSS] = {"loss", read_followed},
    [LOSS_CORRELATION] = {"loss_correlation", read_quantity},
    [GILBERT_ENTER] = {"gilbert_enter", read_quantity},
    [GILBERT_LEAVE] = {"gilbert_leave", read_quantity},
    [GILBERT_BAD_LOSS] = {"gilbert_bad_loss", read_quantity},
    [GILBERT_GOOD_LOSS] = {"gilbert_good_loss", read_quantity},
    [MARKOV_P13] = {"markov_p13", read_quantity},
    [MARKOV_P31] = {"markov_p31", read_quantity},
    [MARKOV_P32] = {"markov_p32", read_quantity},
    [MARKOV_P23] = {"markov_p23", read_quantity},
    [MARKOV_P14] = {"markov_p14", read_quantity},
    [DUPLICATION] = {"duplication", read_quantity},
    [DUPLICATION_CORRELATION] = {"duplication_correlation", read_quantity},
    [CORRUPTION] = {"corruption", read_quantity},
    [CORRUPTION_CORRELATION] = {"corruption_correlation", read_quantity},
    [REORDERING] = {"reordering", read_quantity},
    [REORDERING_CORRELATION] = {"reordering_correlation", read_quantity},
    [REORDERING_GAP] = {"reordering_gap", impairment_read_number},
    [SEED] = {"seed", impairment_read_number},
    [BANDWIDTH] = {"bandwidth", read_followed},
    [FRAMING] = {"framing", impairment_read_framing},
    [OVERHEAD] = {"overhead", impairment_read_overhead},
    [CELL] = {"cell", impairment_read_cell},
    [QUEUE] = {"queue", impairment_read_queue},
    [AQM] = {"aqm", impairment_read_aqm},
    [BURST] = {"burst", read_quantity},
    [PROPERTIES] = {NULL, NULL},
};

/* Takes back everything that needs 'property', directly or not: dependents stand behind it in the table. */
static void drop_dependents(struct direction *direction, enum property property)
{
    uint64_t gone = UINT64_C(1) << property;
    for (enum property p = property + 1; p < PROPERTIES; p++) {
        if (impairment_properties[p].needs != NEEDS_NOTHING && gone & UINT64_C(1) << impairment_properties[p].needs) {
            gone |= UINT64_C(1) << p;
            set(&direction->value, p, 0);
            set_second(&direction->value, p, 0);
            direction->given &= ~(UINT64_C(1) << p);
        }
    }
}

void direction_overlay(struct direction *base, const struct direction *over)
{
    for (enum property p = 0; p < PROPERTIES; p++) {
        if (over->given & UINT64_C(1) << p && !impairment_has(&over->value, p)) {
            drop_dependents(base, p);
        }
    }
    for (enum property p = 0; p < PROPERTIES; p++) {
        if (over->given & UINT64_C(1) << p) {
            direction_give(base, p, impairment_get(&over->value, p), get_second(&over->value, p));
        }
    }
}

json_t *impairment_to_json_with_traces(const struct impairment *impairment, const struct platform *platform)
{
    json_t *object = json_object();
    for (enum property p = 0; p < PROPERTIES; p++) {
        uint64_t value = impairment_get(impairment, p);
        const struct quantity_kind *kind = impairment_properties[p].kind;
        uint32_t trace = kind ? get_second(impairment, p) : 0;
        if (trace && platform) {
            const char *name = platform_playback(platform, (trace & PLAYBACK_PLACE) - 1)->name;
            json_object_set_new(object, impairment_fields[p].key,
                                trace & PLAYBACK_LOOP ? json_pack("{s:s, s:b}", "trace", name, "loop", 1)
                                                      : json_pack("{s:s}", "trace", name));
            continue;
        }
        if (!value) {
            continue;
        }
        g_autofree char *text = kind ? kind->format(value) : NULL;
        json_object_set_new(object, impairment_fields[p].key, text ? json_string(text) : impairment_write_other(impairment, p));
    }
    return object;
}

json_t *impairment_to_json(const struct impairment *impairment)
{
    return impairment_to_json_with_traces(impairment, NULL);
}

/* Ends reading: checks 'direction', unless there are problems already, moves all problems to 'problems', and gives 'ret' its value
 * when there are none. */
static bool finish(struct reader *reader, const struct direction *direction, unsigned mtu, struct impairment *ret,
                   struct diagnostics *problems)
{
    if (!reader->count) {
        impairment_check(reader, &direction->value, impairment_frame_size(mtu), "");
    }
    bool ok = !reader->count;
    reader_finish(reader, NULL, 0, problems);
    reader_clear(reader);
    if (ok) {
        *ret = direction->value;
    }
    return ok;
}

bool impairment_from_json(const json_t *json, const char *file, const char *pointer, struct impairment *ret,
                          struct diagnostics *problems)
{
    struct reader reader;
    struct direction direction = {0};
    reader_init(&reader, file, pointer);
    reader_object(&reader, json, "one direction of a viface", impairment_fields, &direction);
    return finish(&reader, &direction, 0, ret, problems);
}

/* Reads 'patch' into 'ret', where what is null is given as 0. */
static void read_patch(struct reader *reader, const json_t *patch, struct direction *ret)
{
    json_t *values = json_object();
    const char *key;
    json_t *member;
    json_object_foreach ((json_t *)patch, key, member) {
        enum property p = 0;
        while (p < PROPERTIES && strcmp(impairment_fields[p].key, key) != 0) {
            p++;
        }
        if (json_is_null(member) && p < PROPERTIES) {
            direction_give(ret, p, 0, 0);
        } else {
            json_object_set(values, key, member);
        }
    }
    reader_object(reader, values, "one direction of a viface", impairment_fields, ret);
    json_decref(values);
}

bool impairment_merge(struct impairment *direction, const json_t *patch, unsigned mtu, const struct playbacks *playbacks,
                      const char *file, const char *pointer, struct diagnostics *problems)
{
    struct reader reader;
    struct direction over = {0}, merged = {.value = *direction};
    if (json_is_null(patch)) {
        *direction = (struct impairment){0};
        return true;
    }
    reader_init(&reader, file, pointer);
    reader.playbacks = playbacks;
    if (reader_is_object(&reader, patch, "one direction of a viface")) {
        read_patch(&reader, patch, &over);
    }
    direction_overlay(&merged, &over);
    return finish(&reader, &merged, mtu, direction, problems);
}
