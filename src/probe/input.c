/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "input.h"

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

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
static const char *const text_keys[] = {"kind", "from", "to", "from_address", "to_address"};

const char *probe_kind_name(enum probe_kind kind)
{
    return kind_names[kind];
}

static void test_free(void *data)
{
    struct probe_test *test = data;
    g_free(test->from);
    g_free(test->to);
    g_free(test->from_netns);
    g_free(test->to_netns);
    g_free(test);
}

static void round_free(void *data)
{
    g_ptr_array_unref(data);
}

void probe_input_free(struct probe_input *input)
{
    if (input) {
        g_ptr_array_unref(input->rounds);
        g_free(input);
    }
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

/* Copies the key 'key' of a test and the path that it stands for. */
static bool read_end(json_t *object, const char *place, const char *key, const json_t *netns, bool needed, char **ret_name,
                     char **ret_path, GError **error)
{
    const char *name = read_text(object, place, key, error);
    if (!name) {
        return false;
    }
    const char *path = json_string_value(json_object_get(netns, name));
    if (!path && needed) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "%s/%s: \"%s\" is no key of netns", place, key, name);
    }
    *ret_name = g_strdup(name);
    *ret_path = g_strdup(path);
    return true;
}

static bool read_test(json_t *object, const char *place, const json_t *netns, struct probe_test *test, GError **error)
{
    if (!json_is_object(object)) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "%s: expected an object", place);
    }
    if (!read_kind(object, place, &test->kind, error) || !check_keys(object, place, test->kind, error) ||
        !read_end(object, place, "from", netns, true, &test->from, &test->from_netns, error) ||
        !read_end(object, place, "to", netns, test->kind != PROBE_RTT, &test->to, &test->to_netns, error) ||
        !read_address(object, place, "from_address", &test->from_address, error) ||
        !read_address(object, place, "to_address", &test->to_address, error) || !read_integers(object, place, test, error)) {
        return false;
    }
    if (test->from_address.family != test->to_address.family) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "%s: from_address and to_address must both be IPv4 or both be IPv6", place);
    }
    return true;
}

static bool read_round(json_t *list, const char *place, const json_t *netns, GPtrArray *round, GError **error)
{
    if (!json_is_array(list)) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "%s: expected a list of tests", place);
    }
    size_t i;
    json_t *object;
    json_array_foreach (list, i, object) {
        struct probe_test *test = g_new0(struct probe_test, 1);
        g_ptr_array_add(round, test);
        g_autofree char *test_place = g_strdup_printf("%s/%zu", place, i);
        if (!read_test(object, test_place, netns, test, error)) {
            return false;
        }
    }
    return true;
}

static bool read_input(json_t *root, GPtrArray *rounds, GError **error)
{
    json_t *netns = json_object_get(root, "netns");
    json_t *list = json_object_get(root, "rounds");
    if (!json_is_object(netns) || !json_is_array(list) || json_object_size(root) != 2) {
        return fail(error, DISTEM_ERROR_INVALID, 0,
                    "expected an object with the keys netns (name -> path of a network namespace) and rounds (a list)");
    }
    const char *key;
    json_t *path;
    json_object_foreach (netns, key, path) {
        if (!json_is_string(path)) {
            return fail(error, DISTEM_ERROR_INVALID, 0, "/netns/%s: expected the path of a network namespace", key);
        }
    }
    size_t i;
    json_t *round_list;
    json_array_foreach (list, i, round_list) {
        GPtrArray *round = g_ptr_array_new_with_free_func(test_free);
        g_ptr_array_add(rounds, round);
        g_autofree char *place = g_strdup_printf("/rounds/%zu", i);
        if (!read_round(round_list, place, netns, round, error)) {
            return false;
        }
    }
    return true;
}

struct probe_input *probe_input_parse(const char *text, size_t size, GError **error)
{
    json_error_t problem;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    if (!root) {
        fail(error, DISTEM_ERROR_INVALID, 0, "no JSON: line %d, column %d: %s", problem.line, problem.column, problem.text);
        return NULL;
    }
    struct probe_input *input = g_new0(struct probe_input, 1);
    input->rounds = g_ptr_array_new_with_free_func(round_free);
    if (!read_input(root, input->rounds, error)) {
        g_clear_pointer(&input, probe_input_free);
    }
    json_decref(root);
    return input;
}
