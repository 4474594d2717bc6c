/* SPDX-License-Identifier: Apache-2.0 */
/* Places in JSON texts, nearest words, and that the published schema has the keys that the parser has. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "../../src/topology/parser.h"
#include "../../src/topology/position.h"
#include "distem/topology.h"

static void test_lines(void)
{
    static const char text[] = "{\n"
                               "  \"a\": 1, \"b\":\n"
                               "  [\"x\\\"]\", {\"c\":\n"
                               "    -1.5e3}, [],\n"
                               "  true],\n"
                               "  \"d/e~f\": null, \"\": \"empty\",\n"
                               "  \"\\u00e9\\ud83d\\ude00\\n\": {\n"
                               "  \"g\": 7},\n"
                               "  \"twice\": 1,\n"
                               "  \"twice\": 2}";
    static const struct {
        const char *pointer;
        unsigned line;
    } rows[] = {
        {"", 1},        {"/a", 2},   {"/b", 3},   {"/b/0", 3},     {"/b/1", 3}, {"/b/1/c", 4},
        {"/b/2", 4},    {"/b/3", 5}, {"/b/4", 0}, {"/d~1e~0f", 6}, {"/", 6},    {"/\303\251\360\237\230\200\n/g", 8},
        {"/twice", 10}, {"/c", 0},   {"a", 0},    {"/b/1/c/x", 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s", rows[i].pointer);
        g_assert_cmpuint(json_pointer_line(text, sizeof text - 1, rows[i].pointer), ==, rows[i].line);
    }
    g_assert_cmpuint(json_pointer_line("", 0, ""), ==, 0);
    g_assert_cmpuint(json_pointer_line("\n7", 2, ""), ==, 2);
}

/* Any prefix of any text is scanned without harm. */
static void test_torn(void)
{
    static const char text[] = "{\"a\\u00e\\\\\": [1, {\"b\": \"\\ud83d\\u0041\\\"\"}, tru, \"\\u12\"]}}]],,::{]\"";
    for (size_t size = 0; size <= sizeof text; size++) {
        g_autofree char *exact = g_memdup2(text, MAX(size, 1));
        json_pointer_line(exact, size, "/a");
        g_autofree char *pointer = position_pointer_at(exact, size, size);
        g_assert_nonnull(pointer);
    }
}

static void test_nearest(void)
{
    static const char *const words[] = {"latency", "latency_correlation", "loss", "memory", "ipv4", "ipv6", "vni", NULL};
    static const struct {
        const char *word, *nearest;
    } rows[] = {
        {"latency", "latency"},
        {"latncy", "latency"},
        {"ltaency", "latency"},
        {"Latency", "latency"},
        {"latencies", "latency"},
        {"lost", "loss"},
        {"memry", "memory"},
        {"ipv5", "ipv4"},
        {"ivp6", "ipv6"},
        {"mem", NULL},
        {"vin", "vni"},
        {"bandwidth", NULL},
        {"", NULL},
        {"los", "loss"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s", rows[i].word);
        g_assert_cmpstr(nearest_word(rows[i].word, words), ==, rows[i].nearest);
    }
    g_autofree char *long_word = g_strnfill(10000, 'a');
    const char *const long_words[] = {long_word, NULL};
    g_assert_null(nearest_word(long_word, words));
    g_assert_null(nearest_word("aaa", long_words));
}

/* Checks that the object schema at 'path' (keys, separated by blanks) has exactly the keys of 'fields'. */
static void assert_keys(const json_t *schema, const char *path, const struct field *fields)
{
    g_auto(GStrv) steps = g_strsplit(path, " ", -1);
    const json_t *place = schema;
    for (unsigned i = 0; steps[i]; i++) {
        place = json_object_get(place, steps[i]);
    }
    g_test_message("%s", path);
    g_assert_true(json_is_false(json_object_get(place, "additionalProperties")));
    const json_t *properties = json_object_get(place, "properties");
    unsigned count = 0;
    for (; fields[count].key; count++) {
        g_test_message("%s", fields[count].key);
        const json_t *property = json_object_get(properties, fields[count].key);
        g_assert_nonnull(property);
        g_assert_true(json_object_get(property, "description") || json_object_get(property, "$ref"));
    }
    g_assert_cmpuint(json_object_size(properties), ==, count);
}

static void test_schema_keys(void)
{
    g_autofree char *path = g_build_filename(getenv("top_srcdir"), "share/topology.schema.json", NULL);
    json_error_t error;
    json_t *schema = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    g_assert_nonnull(schema);
    const json_t *definitions = json_object_get(schema, "$defs");
    assert_keys(schema, "properties defaults", default_fields);
    assert_keys(definitions, "vnodeDefaults", vnode_default_fields);
    assert_keys(definitions, "vifaceDefaults", viface_default_fields);
    assert_keys(definitions, "template", template_fields);
    assert_keys(definitions, "vnetwork", vnetwork_fields);
    assert_keys(definitions, "vnetworkDefaults", wire_default_fields);
    assert_keys(definitions, "wire", wire_fields);
    assert_keys(definitions, "layout", layout_fields);
    assert_keys(definitions, "vnode", vnode_fields);
    assert_keys(definitions, "cpu", cpu_fields);
    assert_keys(definitions, "viface", viface_fields);
    assert_keys(definitions, "direction", impairment_fields);
    assert_keys(definitions, "vroute", vroute_fields);
    json_t *root = json_copy(schema);
    json_t *wrapper = json_pack("{s:o}", "root", root);
    assert_keys(wrapper, "root", platform_fields);
    json_decref(wrapper);
    json_decref(schema);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/topology/text/lines", test_lines);
    g_test_add_func("/topology/text/torn", test_torn);
    g_test_add_func("/topology/text/nearest", test_nearest);
    g_test_add_func("/topology/text/schema-keys", test_schema_keys);
    return g_test_run();
}
