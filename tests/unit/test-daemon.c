/* SPDX-License-Identifier: Apache-2.0 */
/* distemd's command line, and what it remembers of its coordinator. */
#include <config.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "distem/error.h"
#include "src/daemon/membership.h"
#include "src/daemon/options.h"

static void assert_host(const char *text, const char *host, uint16_t port)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *got = NULL;
    uint16_t got_port = 4567;
    options_parse_host(text, &got, &got_port, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(got, ==, host);
    g_assert_cmpuint(got_port, ==, port);
}

static void test_host(void)
{
    assert_host("m1", "m1", 4567);
    assert_host("m1.example:80", "m1.example", 80);
    assert_host("192.0.2.1:80", "192.0.2.1", 80);
    assert_host("fd00::1", "fd00::1", 4567);
    assert_host("[fd00::1]", "fd00::1", 4567);
    assert_host("[fd00::1]:80", "fd00::1", 80);
    static const char *const wrong[] = {"", ":80", "m1:", "m1:http", "m1:0", "m1:65534", "[fd00::1", "[fd00::1]80", "[m1]:80"};
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        char *host = NULL;
        uint16_t port;
        g_assert_false(options_parse_host(wrong[i], &host, &port, &error));
        g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_INVALID);
        g_assert_null(host);
    }
}

/* Reads a command line, in which blanks separate the words. */
static bool read_line(const char *line, struct options *ret, GError **error)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 0);
    g_autofree char **argv = g_memdup2(words, (g_strv_length(words) + 1) * sizeof *words); /* Words that are used up go. */
    int argc = (int)g_strv_length(argv);
    char **rest = argv;
    return options_read(&argc, &rest, ret, error);
}

static void test_roles(void)
{
    static const struct {
        const char *line, *host;
        bool coordinator, pnode;
    } cases[] = {
        {"distemd", NULL, true, true},
        {"distemd --coordinator", NULL, true, false},
        {"distemd --coordinator --listen 192.0.2.1", NULL, true, false},
        {"distemd --pnode", NULL, false, true},
        {"distemd --coordinator --pnode", NULL, true, true},
        {"distemd --pnode --coordinator m1", "m1", false, true},
        {"distemd --coordinator=m1 --pnode", "m1", false, true},
        {"distemd --pnode --db tcp:192.0.2.1:6640", NULL, false, true},
        {"distemd --db tcp:192.0.2.1:6640", NULL, true, true},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        struct options o;
        read_line(cases[i].line, &o, &error);
        g_assert_no_error(error);
        g_assert_cmpint(o.coordinator, ==, cases[i].coordinator);
        g_assert_cmpint(o.pnode, ==, cases[i].pnode);
        g_assert_cmpstr(o.coordinator_host, ==, cases[i].host);
        options_clear(&o);
    }
}

static void test_refusals(void)
{
    static const char *const lines[] = {
        "distemd --coordinator=m1", "distemd --pnode --coordinator=m1 --db tcp:192.0.2.1:6640",
        "distemd --label rack",     "distemd --label =a",
        "distemd --label rack=a,b", "distemd --max-vnodes -1",
        "distemd --port 65534",     "distemd --listen m1",
        "distemd --pnode m1",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) error = NULL;
        struct options o;
        g_assert_false(read_line(lines[i], &o, &error));
        g_assert_nonnull(error);
        options_clear(&o);
    }
}

static void test_labels(void)
{
    g_autoptr(GError) error = NULL;
    struct options o;
    read_line("distemd --label rack=a --label site=nancy --label rack=b --max-vnodes 7", &o, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_hash_table_size(o.labels), ==, 2);
    g_assert_cmpstr(g_hash_table_lookup(o.labels, "rack"), ==, "b");
    g_assert_cmpstr(g_hash_table_lookup(o.labels, "site"), ==, "nancy");
    g_assert_cmpint(o.max_vnodes, ==, 7);
    options_clear(&o);
}

static void test_membership(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("distem-XXXXXX", NULL);
    g_assert_null(membership_load(dir, &error));
    g_assert_no_error(error);
    struct membership *membership = membership_new("tcp:[fd00::1]:4569");
    membership->registered = true;
    membership->max_vifaces = UINT32_MAX;
    g_hash_table_insert(membership->labels, g_strdup("rack"), g_strdup("a 1"));
    g_assert_true(membership_save(membership, dir, NULL));
    membership_free(membership);

    membership = membership_load(dir, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(membership->database, ==, "tcp:[fd00::1]:4569");
    g_assert_true(membership->registered);
    g_assert_cmpuint(membership->max_vnodes, ==, 0);
    g_assert_cmpuint(membership->max_vifaces, ==, UINT32_MAX);
    g_assert_cmpstr(g_hash_table_lookup(membership->labels, "rack"), ==, "a 1");
    membership_free(membership);

    g_autofree char *file = g_build_filename(dir, "coordinator", NULL);
    g_assert_true(g_file_set_contents(file, "nonsense", -1, NULL));
    g_assert_null(membership_load(dir, &error));
    g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_SYSTEM);
    g_clear_error(&error);
    g_assert_true(membership_forget(dir, NULL));
    g_assert_true(membership_forget(dir, NULL));
    g_assert_null(membership_load(dir, &error));
    g_assert_no_error(error);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/daemon/host", test_host);
    g_test_add_func("/daemon/roles", test_roles);
    g_test_add_func("/daemon/refusals", test_refusals);
    g_test_add_func("/daemon/labels", test_labels);
    g_test_add_func("/daemon/membership", test_membership);
    return g_test_run();
}
