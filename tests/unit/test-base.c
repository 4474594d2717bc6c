/* SPDX-License-Identifier: Apache-2.0 */
/* Errors, units, addresses. */
#include <config.h>

#include <glib.h>

#include "distem/units.h"

static void test_time(void)
{
    int64_t ns;
    g_assert_true(time_parse("12.5ms", &ns, NULL));
    g_assert_cmpint(ns, ==, 12500000);
    g_autofree char *text = time_format(ns);
    g_assert_cmpstr(text, ==, "12.5ms");
    g_assert_false(time_parse("20", &ns, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/units/time", test_time);
    return g_test_run();
}
