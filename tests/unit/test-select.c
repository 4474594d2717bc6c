/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns for vifaces, and changes of what they do. */
#include <config.h>

#include <string.h>

#include "distem/select.h"
#include "distem/topology.h"

static void test_matches(void)
{
    static const struct {
        const char *pattern, *name;
        bool matches;
    } cases[] = {
        {"n1", "n1", true},
        {"n1", "n10", false},
        {"n10", "n1", false},
        {"*", "n1", true},
        {"*", "", true},
        {"n*", "n", true},
        {"*1", "n11", true},
        {"*1", "n12", false},
        {"a*b*c", "aXbYc", true},
        {"a*b*c", "aXcYb", false},
        {"n?", "n1", true},
        {"n?", "n", false},
        {"n?", "n12", false},
        {"c[1-100]", "c1", true},
        {"c[1-100]", "c100", true},
        {"c[1-100]", "c101", false},
        {"c[1-100]", "c0", false},
        {"c[1-100]", "c01", false},
        {"c[1-100]", "c", false},
        {"c[001-100]", "c007", true},
        {"c[001-100]", "c7", false},
        {"c[1-9]0", "c10", true},
        {"c[1-9]0", "c100", false},
        {"c[0-3]-[5-6]", "c0-6", true},
        {"c[0-3]-[5-6]", "c0-7", false},
        {"*[5-6]", "rack12node6", true},
        {"*[5-6]", "rack12node7", false},
        {"c[1-1000000000]", "c1", false}, /* Too long for a bound. */
        {"c[2-1]", "c1", false},
        {"c[1", "c1", false},
        {"c[a-b]", "ca", false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (select_matches(cases[i].pattern, cases[i].name) != cases[i].matches) {
            g_error("\"%s\" and \"%s\": expected %d", cases[i].pattern, cases[i].name, cases[i].matches);
        }
    }
}

/* Would take longer than the universe if what failed was tried again. */
static void test_many_stars(void)
{
    g_autoptr(GString) pattern = g_string_new(NULL);
    g_autofree char *name = g_strnfill(NAME_MAX_LENGTH, 'a');
    for (int i = 0; i < 60; i++) {
        g_string_append(pattern, "*a");
    }
    g_assert_true(select_matches(pattern->str, name));
    g_string_append_c(pattern, 'b');
    g_assert_false(select_matches(pattern->str, name));
}

static struct platform *make_platform(void)
{
    struct platform *platform = platform_new("p");
    struct vnetwork *vnetwork = platform_add_vnetwork(platform, "net");
    static const char *const names[] = {"server", "client1", "client2", "client10"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        struct vnode *vnode = platform_add_vnode(platform, names[i]);
        vnode->labels = i == 0 ? g_strdup("role=,site=paris") : i == 1 ? g_strdup("site=paris 13,website=x") : NULL;
        vnode_add_viface(vnode, "if0", vnetwork);
        if (!i) {
            vnode_add_viface(vnode, "if1", vnetwork);
        }
    }
    return platform;
}

/* Returns what 'pattern' selects as "server:if0 server:if1", or "CODE: MESSAGE". */
static char *selection(const char *pattern)
{
    AUTO_PLATFORM platform = make_platform();
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct selected));
    g_autoptr(GError) error = NULL;
    GString *text = g_string_new(NULL);
    if (!select_vifaces(platform, pattern, found, &error)) {
        g_string_append_printf(text, "%s: %s", distem_error_name(error->code), error->message);
    }
    for (unsigned i = 0; i < found->len; i++) {
        const struct selected *selected = &g_array_index(found, struct selected, i);
        g_string_append_printf(text, "%s%s:%s", i ? " " : "", selected->vnode->name, selected->viface->name);
    }
    return g_string_free(text, FALSE);
}

/* What several patterns mean, each viface once. */
static void test_more(void)
{
    AUTO_PLATFORM platform = make_platform();
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct selected));
    g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);
    g_assert_true(select_more(platform, "client1", taken, found, NULL));
    for (unsigned i = 0; i < 1000; i++) {
        g_assert_true(select_more(platform, "*", taken, found, NULL));
    }
    g_assert_true(select_more(platform, "client*:if0", taken, found, NULL)); /* It means some, all of them taken. */
    g_assert_false(select_more(platform, "x*", taken, found, NULL));
    g_assert_cmpuint(found->len, ==, 5);
    g_assert_cmpstr(g_array_index(found, struct selected, 0).vnode->name, ==, "client1");
    g_assert_cmpstr(g_array_index(found, struct selected, 1).vnode->name, ==, "server");
}

static void test_selects(void)
{
    static const char *const cases[][2] = {
        {"server", "server:if0 server:if1"},
        {"server:if1", "server:if1"},
        {"*:if1", "server:if1"},
        {"client*", "client1:if0 client2:if0 client10:if0"},
        {"client[2-10]:*", "client2:if0 client10:if0"},
        {"serber", "not-found: \"serber\" means no vnode of platform p (did you mean \"server\"?)"},
        {"x*", "not-found: \"x*\" means no vnode of platform p"},
        {"client1:if9", "not-found: \"client1:if9\" is no viface of platform p: the vnode has none of that name"},
        {"client*:if9", "not-found: \"client*:if9\" is no viface of platform p: the vnodes have none of that name"},
        {"site=paris", "server:if0 server:if1"},
        {"site=paris*", "server:if0 server:if1 client1:if0"},
        {"site=paris [1-20],website=*", "client1:if0"},
        {"site=paris*:if1", "server:if1"},
        {"role=,site=p*", "server:if0 server:if1"},
        {"role=*", "server:if0 server:if1"},
        {"site=lyon", "not-found: \"site=lyon\" means no vnode of platform p: none has these labels"},
        {"site=paris,website=*", "not-found: \"site=paris,website=*\" means no vnode of platform p: none has these labels"},
        {"sit=paris", "not-found: \"sit=paris\" means no vnode of platform p: none has these labels"},
        {"site=paris:if9", "not-found: \"site=paris:if9\" is no viface of platform p: the vnodes have none of that name"},
        {"site=paris,role", "invalid: \"role\" is no label: write them like site=paris,role=client"},
        {"site=paris,", "invalid: \"\" is no label: write them like site=paris,role=client"},
        {"=paris", "invalid: \"=paris\" is no label: write them like site=paris,role=client"},
        {"site=[2-1]", "invalid: \"[2-1]\" has no proper range: write it like client[1-100]:if0"},
        {"client[1-", "invalid: \"client[1-\" has no proper range: write it like client[1-100]:if0"},
        {"", "invalid: \"\" names no viface: expected 1 to 199 characters such as n1 or client*:if0"},
        {"n1:", "invalid: \"\" names no viface: expected 1 to 199 characters such as n1 or client*:if0"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = selection(cases[i][0]);
        g_assert_cmpstr(found, ==, cases[i][1]);
    }
}

/* What needs what, as doc/topology.md says it. */
static const char *const needs[][2] = {
    {"jitter", "latency"},
    {"distribution", "jitter"},
    {"latency_correlation", "jitter"},
    {"keep_order", "jitter"},
    {"reordering", "latency"},
    {"reordering_correlation", "reordering"},
    {"reordering_gap", "reordering"},
    {"loss_correlation", "loss"},
    {"gilbert_leave", "gilbert_enter"},
    {"duplication_correlation", "duplication"},
    {"corruption_correlation", "corruption"},
    {"queue", "bandwidth"},
    {"burst", "bandwidth"},
    {"framing", "bandwidth"},
    {"overhead", "bandwidth"},
    {"cell", "bandwidth"},
    {"aqm", "bandwidth"},
};

/* Values of each property: the last of each list ends it. */
static const struct {
    const char *key, *values[4];
} properties[] = {
    {"latency", {"\"10ms\"", "\"1s\"", "\"0s\"", "null"}},
    {"jitter", {"\"1ms\"", "\"20ms\"", "\"0.5ms\"", "null"}},
    {"distribution", {"\"normal\"", "\"pareto\"", "\"uniform\"", "null"}},
    {"latency_correlation", {"\"25%\"", "\"50%\"", "\"10%\"", "null"}},
    {"keep_order", {"true", "true", "false", "null"}},
    {"loss", {"\"1%\"", "\"10%\"", "\"0%\"", "null"}},
    {"loss_correlation", {"\"25%\"", "\"50%\"", "\"10%\"", "null"}},
    {"gilbert_enter", {"\"1%\"", "\"2%\"", "\"3%\"", "null"}},
    {"gilbert_leave", {"\"20%\"", "\"30%\"", "\"40%\"", "null"}},
    {"duplication", {"\"1%\"", "\"2%\"", "\"0%\"", "null"}},
    {"duplication_correlation", {"\"1%\"", "\"2%\"", "\"3%\"", "null"}},
    {"corruption", {"\"1%\"", "\"2%\"", "\"0%\"", "null"}},
    {"corruption_correlation", {"\"1%\"", "\"2%\"", "\"3%\"", "null"}},
    {"reordering", {"\"1%\"", "\"2%\"", "\"0%\"", "null"}},
    {"reordering_correlation", {"\"1%\"", "\"2%\"", "\"3%\"", "null"}},
    {"reordering_gap", {"3", "5", "7", "null"}},
    {"seed", {"1", "2", "0", "null"}},
    {"bandwidth", {"\"1Mbit/s\"", "\"1Gbit/s\"", "\"4kbit/s\"", "null"}},
    {"framing", {"\"l2\"", "\"ip\"", "\"ethernet\"", "null"}},
    {"overhead", {"\"18B\"", "\"-4B\"", "\"0B\"", "null"}},
    {"cell", {"\"atm\"", "\"ptm\"", "\"none\"", "null"}},
    {"queue", {"\"64kB\"", "\"10packets\"", "\"50ms\"", "null"}},
    {"aqm", {"\"codel\"", "\"fq_codel\"", "\"droptail\"", "null"}},
    {"burst", {"\"10kB\"", "\"1MB\"", "\"100B\"", "null"}},
};

static void drop_key(json_t *model, const char *key)
{
    json_object_del(model, key);
    for (unsigned i = 0; i < G_N_ELEMENTS(needs); i++) {
        if (!strcmp(needs[i][1], key) && json_object_get(model, needs[i][0])) {
            drop_key(model, needs[i][0]);
        }
    }
}

/* Says whether 'value' ends what it is the value of. */
static bool ends(const char *value)
{
    static const char *const words[] = {"null",     "false",        "0",           "\"0s\"",      "\"0%\"", "\"0B\"",
                                        "\"none\"", "\"droptail\"", "\"uniform\"", "\"ethernet\""};
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!strcmp(value, words[i])) {
            return true;
        }
    }
    return false;
}

/* 10,000 random changes of one direction, each of one to three properties, against a JSON object that is kept by hand: what is not
 * named stays, and what is refused changes nothing. */
static void test_random_changes(void)
{
    struct impairment direction = {0};
    json_t *model = json_object();
    unsigned made = 0, refused = 0;
    for (int step = 0; step < 10000; step++) {
        json_t *patch = json_object(), *next = json_deep_copy(model);
        AUTO_DIAGNOSTICS problems = {0}, expected_problems = {0};
        struct impairment before = direction, expected = {0};
        int count = g_test_rand_int_range(1, 4);
        for (int i = 0; i < count; i++) {
            unsigned p = (unsigned)g_test_rand_int_range(0, G_N_ELEMENTS(properties));
            if (!json_object_get(patch, properties[p].key)) {
                const char *value = properties[p].values[g_test_rand_int_range(0, 4)];
                json_object_set_new(patch, properties[p].key, json_loads(value, JSON_DECODE_ANY, NULL));
            }
        }
        const char *key;
        json_t *value;
        json_object_foreach (patch, key, value) {
            g_autofree char *text = json_dumps(value, JSON_ENCODE_ANY);
            if (ends(text)) {
                drop_key(next, key);
            }
        }
        json_object_foreach (patch, key, value) {
            g_autofree char *text = json_dumps(value, JSON_ENCODE_ANY);
            if (!ends(text)) {
                json_object_set(next, key, value);
            }
        }
        bool ok = impairment_merge(&direction, patch, 0, NULL, "f", "", &problems);
        bool expected_ok = impairment_from_json(next, "f", "", &expected, &expected_problems);
        if (ok != expected_ok || !impairment_equal(&direction, ok ? &expected : &before)) {
            g_autofree char *was = json_dumps(model, 0), *changed = json_dumps(patch, 0);
            g_error("step %d: %s changed by %s: %d, expected %d", step, was, changed, ok, expected_ok);
        }
        g_assert_cmpuint(diagnostics_count(&problems) == 0, ==, ok);
        made += ok;
        refused += !ok;
        if (ok) {
            json_decref(model);
            model = json_incref(next);
        }
        json_decref(next);
        json_decref(patch);
    }
    json_decref(model);
    /* Else nothing was tested. */
    g_assert_cmpuint(made, >, 1000);
    g_assert_cmpuint(refused, >, 1000);
}

static void test_refused(void)
{
    static const char *const cases[][2] = {
        {"{\"latncy\": null}", "did you mean"},
        {"{\"latency\": \"long\"}", "is not a time"},
        {"{\"jitter\": \"30ms\"}", "more than latency"},
        {"{\"queue\": \"100B\", \"bandwidth\": \"1Mbit/s\"}", "less than one frame"},
        {"17", "expected"},
        {"{\"latency\": {\"trace\": \"t\"}}", "no trace can be named here"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        AUTO_DIAGNOSTICS problems = {0};
        struct impairment direction = {.latency = 20000000, .bandwidth = 0};
        json_t *patch = json_loads(cases[i][0], JSON_DECODE_ANY, NULL);
        g_assert_false(impairment_merge(&direction, patch, 9000, NULL, "f", "/p", &problems));
        json_decref(patch);
        g_assert_cmpint(direction.latency, ==, 20000000);
        if (!strstr(diagnostics_get(&problems, 0)->message, cases[i][1])) {
            g_error("%s: \"%s\" is not in \"%s\"", cases[i][0], cases[i][1], diagnostics_get(&problems, 0)->message);
        }
    }
}

static void test_whole_direction(void)
{
    AUTO_DIAGNOSTICS problems = {0};
    struct impairment direction = {.latency = 20000000, .jitter = 1000};
    json_t *null = json_null();
    g_assert_true(impairment_merge(&direction, null, 0, NULL, "f", "", &problems));
    g_assert_true(impairment_is_zero(&direction));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/select/matches", test_matches);
    g_test_add_func("/select/many-stars", test_many_stars);
    g_test_add_func("/select/selects", test_selects);
    g_test_add_func("/select/more", test_more);
    g_test_add_func("/merge/random-changes", test_random_changes);
    g_test_add_func("/merge/refused", test_refused);
    g_test_add_func("/merge/whole-direction", test_whole_direction);
    return g_test_run();
}
