/* SPDX-License-Identifier: Apache-2.0 */
/* Errors, diagnostics, logging. */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "distem/error.h"
#include "distem/log.h"

static void test_error_names(void)
{
    for (int code = DISTEM_ERROR_INVALID; code <= DISTEM_ERROR_SYSTEM; code++) {
        const char *name = distem_error_name(code);
        g_assert_nonnull(name);
        g_assert_cmpint(distem_error_from_name(name), ==, code);
        g_assert_cmpuint(distem_error_http_status(code), >=, 400);
    }
    g_assert_cmpstr(distem_error_name(DISTEM_ERROR_NOT_FOUND), ==, "not-found");
    g_assert_cmpuint(distem_error_http_status(DISTEM_ERROR_TOO_LARGE), ==, 413);
    g_assert_cmpstr(distem_error_name(-1), ==, "system");
    g_assert_cmpstr(distem_error_name(1000), ==, "system");
    g_assert_cmpuint(distem_error_http_status(1000), ==, 500);
    g_assert_cmpint(distem_error_from_name("no such word"), ==, DISTEM_ERROR_SYSTEM);
    g_assert_cmpstr(g_quark_to_string(DISTEM_ERROR), ==, "distem-error-quark");
}

static void test_fail(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(fail(&error, DISTEM_ERROR_SYSTEM, ENOENT, "cannot open %s", "a%sb"));
    g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_SYSTEM);
    g_assert_cmpstr(error->message, ==, "cannot open a%sb: No such file or directory");
    g_clear_error(&error);
    g_assert_false(fail(&error, DISTEM_ERROR_INVALID, 0, "%d", 7));
    g_assert_cmpstr(error->message, ==, "7");
    g_assert_false(fail(NULL, DISTEM_ERROR_INVALID, 0, "nobody listens"));
}

static void assert_formatted(const char *file, unsigned line, const char *pointer, const char *expected)
{
    AUTO_DIAGNOSTICS problems = {0};
    diagnostics_add(&problems, file, line, pointer, "what %s", "went wrong");
    g_autofree char *text = diagnostic_format(diagnostics_get(&problems, 0));
    g_assert_cmpstr(text, ==, expected);
}

static void test_diagnostics(void)
{
    AUTO_DIAGNOSTICS problems = {0};
    g_assert_cmpuint(diagnostics_count(&problems), ==, 0);
    diagnostics_add(&problems, "a.json", 7, "/x", "%s", "100%s");
    diagnostics_add(&problems, NULL, 0, NULL, "second");
    g_assert_cmpuint(diagnostics_count(&problems), ==, 2);
    g_assert_cmpstr(diagnostics_get(&problems, 0)->message, ==, "100%s");
    g_assert_null(diagnostics_get(&problems, 1)->file);
    diagnostics_clear(&problems);
    g_assert_cmpuint(diagnostics_count(&problems), ==, 0);
    diagnostics_add(&problems, NULL, 0, NULL, "used further");
    g_assert_cmpuint(diagnostics_count(&problems), ==, 1);

    assert_formatted("a.json", 7, "/vnodes/n1", "a.json:7: /vnodes/n1: what went wrong");
    assert_formatted("a.json", 7, "", "a.json:7: what went wrong");
    assert_formatted("a.json", 0, NULL, "a.json: what went wrong");
    assert_formatted("a.json", 0, "/x", "a.json: /x: what went wrong");
    assert_formatted(NULL, 0, "/x", "/x: what went wrong");
    assert_formatted(NULL, 0, NULL, "what went wrong");
}

static void test_log_level(void)
{
    enum log_level level = LOG_LEVEL_INFO;
    g_autoptr(GError) error = NULL;
    g_assert_true(log_level_parse("debug", &level, &error));
    g_assert_no_error(error);
    g_assert_cmpint(level, ==, LOG_LEVEL_DEBUG);
    g_assert_false(log_level_parse("Debug", &level, &error));
    g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_INVALID);
    g_assert_cmpint(level, ==, LOG_LEVEL_DEBUG);
}

static void log_some(void)
{
    errno = EAGAIN;
    log_info("test", "two lines", "text=\"%s\"", "a\nb\033[1m");
    log_debug("test", "below the level", "n=%d", 1);
    g_assert_cmpint(errno, ==, EAGAIN);
}

static void test_log_line(void)
{
    if (g_test_subprocess()) {
        g_unsetenv("JOURNAL_STREAM");
        log_some();
        g_setenv("JOURNAL_STREAM", "1:2", TRUE);
        log_some();
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr(
        "*-*-*T*:*:*.*Z info test \"two lines\" text=\"a b [1m\"\n<6>info test \"two lines\" text=\"a b [1m\"\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/names", test_error_names);
    g_test_add_func("/error/fail", test_fail);
    g_test_add_func("/error/diagnostics", test_diagnostics);
    g_test_add_func("/log/level", test_log_level);
    g_test_add_func("/log/line", test_log_line);
    return g_test_run();
}
