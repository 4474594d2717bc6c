/* SPDX-License-Identifier: Apache-2.0 */
/* Text and tables of the command line. */
#include <config.h>

#include <locale.h>
#include <string.h>

#include "src/cli/table.h"
#include "src/cli/text.h"

/* Checks a text that was made for it, and frees it. */
static void expect(char *text, const char *expected)
{
    g_assert_cmpstr(text, ==, expected);
    g_free(text);
}

static void test_wrap(void)
{
    expect(text_wrap("", 10, 0), "");
    expect(text_wrap("one two three", 20, 0), "one two three");
    expect(text_wrap("one two three", 7, 0), "one two\nthree");
    expect(text_wrap("one two  three", 7, 3), "one two\n   three");
    expect(text_wrap("much-too-long word", 5, 0), "much-too-long\nword");
    expect(text_wrap("a\n\nb", 5, 2), "a\n\n  b");
    expect(text_wrap("äöü äöü", 7, 0), "äöü äöü");
}

static void test_width(void)
{
    g_assert_cmpuint(text_width("abc"), ==, 3);
    g_assert_cmpuint(text_width("é"), ==, 1);
    g_assert_cmpuint(text_width("e\xcc\x81"), ==, 1);
    g_assert_cmpuint(text_width("漢字"), ==, 4);
    expect(text_shorten("abcdef", 6, FALSE), "abcdef");
    expect(text_shorten("abcdef", 5, FALSE), "abcd…");
    expect(text_shorten("abcdef", 5, TRUE), "abcd~");
    expect(text_shorten("漢字漢字", 4, FALSE), "漢…");
}

static void test_numbers(void)
{
    expect(text_count(0, "vnode"), "0 vnodes");
    expect(text_count(1, "vnode"), "1 vnode");
    expect(text_count(999, "vnode"), "999 vnodes");
    expect(text_count(100000, "vnode"), "100,000 vnodes");
    expect(text_count(-1234567, "vnode"), "-1,234,567 vnodes");
    expect(text_ns(0), "0.000 ms");
    expect(text_ns(160112345), "160.112 ms");
    expect(text_ns(1.5e9), "1.500 s");
    expect(text_rate(0), "0.000 bit/s");
    expect(text_rate(143463), "143.5 kbit/s");
    expect(text_rate(19137500), "19.14 Mbit/s");
    expect(text_rate(999999), "1.000 Mbit/s");
    expect(text_rate(5e9), "5.000 Gbit/s");
    expect(text_rate(5e15), "5000.0 Tbit/s");
    expect(text_percent(0.01, FALSE), "1%");
    expect(text_percent(0.0005, FALSE), "0.05%");
    expect(text_percent(0.00071, TRUE), "+0.07%");
    expect(text_percent(-0.05123, TRUE), "-5.12%");
}

/* Prints 'table' in 'width' columns into a text. */
static char *print(const struct table *table, unsigned width)
{
    char *text = NULL;
    size_t size;
    FILE *file = tmpfile();
    table_print(table, file, width);
    size = (size_t)ftell(file);
    rewind(file);
    text = g_malloc0(size + 1);
    g_assert_cmpuint(fread(text, 1, size, file), ==, size);
    fclose(file);
    return text;
}

static void test_table(void)
{
    struct table *table = table_new("lrlL", "NAME|N|EMPTY|LAST");
    table_add(table, "a");
    table_add(table, "1");
    table_add(table, NULL);
    table_add(table, "first one");
    table_add(table, "bcdef");
    table_add_take(table, g_strdup("1000"));
    table_color(table, COLOR_RED);
    table_add(table, NULL);
    table_add(table, NULL);
    expect(print(table, 0), "NAME      N  LAST\n"
                            "a         1  first one\n"
                            "bcdef  1000\n");
    expect(print(table, 20), "NAME      N  LAST\n"
                             "a         1  first …\n"
                             "bcdef  1000\n");
    /* No column is cut to nothing. */
    expect(print(table, 5), "NAME      N  LAST\n"
                            "a         1  first…\n"
                            "bcdef  1000\n");
    table_free(table);
    table = table_new("lr", "A|B");
    expect(print(table, 80), "\n");
    table_free(table);
    table_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!setlocale(LC_CTYPE, "C.UTF-8")) {
        g_error("the locale C.UTF-8 is missing");
    }
    g_test_add_func("/cli/wrap", test_wrap);
    g_test_add_func("/cli/width", test_width);
    g_test_add_func("/cli/numbers", test_numbers);
    g_test_add_func("/cli/table", test_table);
    return g_test_run();
}
