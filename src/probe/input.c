/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "input.h"

#include <inttypes.h>
#include <string.h>

#include "distem/error.h"
#include "distem/units.h"

#define BIT(kind) (1u << (kind))
#define ALL_KINDS (BIT(PROBE_KINDS) - 1)

static const char *const kind_names[PROBE_KINDS] = {[PROBE_RTT] = "rtt", [PROBE_LOSS] = "loss", [PROBE_GOODPUT] = "goodput"};

/* The integers of a test. Their limits are such that no time worked out from them overflows. */
static const struct field {
    const char *key;
    unsigned needed;  /* Kinds that must have it. */
    unsigned allowed; /* Kinds that may. */
    int64_t min, max;
    size_t offset;
} fields[] = {
#define FIELD(name) offsetof(struct probe_test, name)
    {"id", ALL_KINDS, ALL_KINDS, INT64_MIN, INT64_MAX, FIELD(id)},
    {"from_vnode", ALL_KINDS, ALL_KINDS, 1, UINT32_MAX, FIELD(vnode[PROBE_FROM])},
    {"to_vnode", ALL_KINDS, ALL_KINDS, 1, UINT32_MAX, FIELD(vnode[PROBE_TO])},
    {"count", BIT(PROBE_RTT) | BIT(PROBE_LOSS), BIT(PROBE_RTT) | BIT(PROBE_LOSS), 1, 1000000, FIELD(count)},
    {"interval_ns", BIT(PROBE_RTT) | BIT(PROBE_LOSS), BIT(PROBE_RTT) | BIT(PROBE_LOSS), 0, 3600 * NS_PER_S, FIELD(interval)},
    {"timeout_ns", BIT(PROBE_RTT) | BIT(PROBE_LOSS), ALL_KINDS, NS_PER_MS, 3600 * NS_PER_S, FIELD(timeout)},
    {"size", BIT(PROBE_LOSS), BIT(PROBE_LOSS), PROBE_SIZE_MIN, 65507, FIELD(size)},
    {"bandwidth", BIT(PROBE_GOODPUT), BIT(PROBE_GOODPUT), 0, INT64_C(1) << 62, FIELD(bandwidth)},
    {"duration_ns", 0, BIT(PROBE_GOODPUT), 0, 3600 * NS_PER_S, FIELD(duration)},
    /* What TCP_MAXSEG takes; 0 stands for none. */
    {"mss", 0, BIT(PROBE_GOODPUT), 0, 32767, FIELD(mss)},
#undef FIELD
};
static const char *const text_keys[] = {"kind", "end", "from", "to", "from_address", "to_address"};

const char *probe_kind_name(enum probe_kind kind)
{
    return kind_names[kind];
}

static void test_clear(void *data)
{
    struct probe_test *test = data;
    g_free(test->name[PROBE_FROM]);
    g_free(test->name[PROBE_TO]);
}

struct probe_test *probe_test_ref(struct probe_test *test)
{
    return g_rc_box_acquire(test);
}

void probe_test_unref(void *test)
{
    g_rc_box_release_full(test, test_clear);
}

void probe_line_clear(struct probe_line *line)
{
    g_clear_pointer(&line->round, g_ptr_array_unref);
    g_clear_pointer(&line->message, json_decref);
}

/* Returns the string 'key' of the object at 'place', borrowed, or NULL with an error. */
static const char *read_text(json_t *object, const char *place, const char *key, GError **error)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text) {
        fail(error, DISTEM_ERROR_INVALID, 0, "%s/%s: expected a string", place, key);
    }
    return text;
}

static bool read_kind(json_t *object, const char *place, enum probe_kind *ret, GError **error)
{
    const char *name = read_text(object, place, "kind", error);
    if (!name) {
        return false;
    }
    for (enum probe_kind kind = 0; kind < PROBE_KINDS; kind++) {
        if (!strcmp(name, kind_names[kind])) {
            *ret = kind;
            return true;
        }
    }
    return fail(error, DISTEM_ERROR_INVALID, 0, "%s/kind: \"%s\" is none of rtt, loss, goodput", place, name);
}

static bool read_address(json_t *object, const char *place, const char *key, struct ip_addr *ret, GError **error)
{
    const char *text = read_text(object, place, key, error);
    if (!text) {
        return false;
    }
    if (!ip_addr_parse(text, ret, error)) {
        g_prefix_error(error, "%s/%s: ", place, key);
        return false;
    }
    return true;
}

static bool read_integers(json_t *object, const char *place, struct probe_test *test, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        const struct field *field = &fields[i];
        const json_t *value = json_object_get(object, field->key);
        if (!(field->allowed & BIT(test->kind)) || (!value && !(field->needed & BIT(test->kind)))) {
            continue;
        }
        json_int_t number = json_integer_value(value);
        if (!json_is_integer(value) || number < field->min || number > field->max) {
            return fail(error, DISTEM_ERROR_INVALID, 0, "%s/%s: expected an integer from %" PRId64 " to %" PRId64, place,
                        field->key, field->min, field->max);
        }
        *(int64_t *)((char *)test + field->offset) = number;
    }
    return true;
}

static bool check_keys(json_t *object, const char *place, enum probe_kind kind, GError **error)
{
    const char *key;
    json_t *value;
    json_object_foreach (object, key, value) {
        bool known = false;
        for (size_t i = 0; i < G_N_ELEMENTS(text_keys); i++) {
            known = known || !strcmp(key, text_keys[i]);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
            known = known || (!strcmp(key, fields[i].key) && fields[i].allowed & BIT(kind));
        }
        if (!known) {
            return fail(error, DISTEM_ERROR_INVALID, 0, "%s/%s: a test of kind %s has no such key", place, key, kind_names[kind]);
        }
    }
    return true;
}

/* Reads which ends are here. */
static bool read_end(json_t *object, const char *place, struct probe_test *test, GError **error)
{
    if (!json_object_get(object, "end")) {
        test->here[PROBE_FROM] = test->here[PROBE_TO] = true;
        return true;
    }
    const char *end = read_text(object, place, "end", error);
    if (!end) {
        return false;
    }
    test->here[PROBE_FROM] = !strcmp(end, "from");
    test->here[PROBE_TO] = !strcmp(end, "to") && test->kind != PROBE_RTT;
    return test->here[PROBE_FROM] || test->here[PROBE_TO] ||
           fail(error, DISTEM_ERROR_INVALID, 0, "%s/end: \"%s\" is no end of a test of kind %s", place, end,
                kind_names[test->kind]);
}

static bool read_name(json_t *object, const char *place, const char *key, char **ret, GError **error)
{
    *ret = g_strdup(read_text(object, place, key, error));
    return *ret != NULL;
}

static bool read_test(json_t *object, const char *place, struct probe_test *test, GError **error)
{
    if (!json_is_object(object)) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "%s: expected an object", place);
    }
    if (!read_kind(object, place, &test->kind, error) || !check_keys(object, place, test->kind, error) ||
        !read_end(object, place, test, error) || !read_name(object, place, "from", &test->name[PROBE_FROM], error) ||
        !read_name(object, place, "to", &test->name[PROBE_TO], error) ||
        !read_address(object, place, "from_address", &test->address[PROBE_FROM], error) ||
        !read_address(object, place, "to_address", &test->address[PROBE_TO], error) || !read_integers(object, place, test, error)) {
        return false;
    }
    if (test->address[PROBE_FROM].family != test->address[PROBE_TO].family) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "%s: from_address and to_address must both be IPv4 or both be IPv6", place);
    }
    return true;
}

static bool read_round(json_t *list, GPtrArray *round, GError **error)
{
    size_t i;
    json_t *object;
    json_array_foreach (list, i, object) {
        struct probe_test *test = g_rc_box_new0(struct probe_test);
        g_ptr_array_add(round, test);
        g_autofree char *place = g_strdup_printf("/round/%zu", i);
        if (!read_test(object, place, test, error)) {
            return false;
        }
    }
    return true;
}

static bool read_line(json_t *root, struct probe_line *line, GError **error)
{
    json_t *list = json_object_get(root, "round"), *id = json_object_get(root, "id"), *message = json_object_get(root, "peer");
    if (json_is_array(list) && json_object_size(root) == 1) {
        line->round = g_ptr_array_new_with_free_func(probe_test_unref);
        return read_round(list, line->round, error);
    }
    if (json_is_integer(id) && json_is_object(message) && json_object_size(root) == 2) {
        line->id = json_integer_value(id);
        line->message = json_incref(message);
        return true;
    }
    return fail(error, DISTEM_ERROR_INVALID, 0, "expected an object with the key round (a list of tests) or the keys id and peer");
}

bool probe_line_parse(const char *text, size_t size, struct probe_line *ret, GError **error)
{
    *ret = (struct probe_line){0};
    json_error_t problem;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    if (!root) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "no JSON: column %d: %s", problem.column, problem.text);
    }
    bool ok = read_line(root, ret, error);
    if (!ok) {
        probe_line_clear(ret);
    }
    json_decref(root);
    return ok;
}
