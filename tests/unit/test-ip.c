/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, prefixes and the hosts in them. */
#include <config.h>

#include <string.h>

#include "distem/error.h"
#include "distem/ip.h"

static struct ip_addr ip(const char *text)
{
    struct ip_addr addr;
    g_assert_true(ip_addr_parse(text, &addr, NULL));
    return addr;
}

static struct ip_prefix prefix(const char *text)
{
    struct ip_prefix p;
    g_assert_true(prefix_parse(text, &p, NULL));
    return p;
}

static void test_ip_text(void)
{
    static const char *const good[] = {"10.0.0.1", "0.0.0.0", "255.255.255.255", "fd00::1", "::", "::1", "2001:db8:1:2:3:4:5:6"};
    static const char *const bad[] = {"",         "10.0.0", "10.0.0.256", "10.0.0.1 ", "010.0.0.1", "10.0.0.1/24", "fd00::1%eth0",
                                      "fd00:::1", "n1"};
    char text[IP_TEXT_SIZE];
    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
        struct ip_addr addr = ip(good[i]);
        g_assert_cmpstr(ip_format(&addr, text), ==, good[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct ip_addr addr = ip("1.2.3.4");
        g_autoptr(GError) error = NULL;
        g_assert_false(ip_addr_parse(bad[i], &addr, &error));
        g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_INVALID);
        g_assert_cmpstr(ip_format(&addr, text), ==, "1.2.3.4");
    }
    struct ip_addr none = {0};
    g_assert_cmpstr(ip_format(&none, text), ==, "");
    struct ip_addr longest = ip("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255");
    g_assert_cmpuint(strlen(ip_format(&longest, text)), <, IP_TEXT_SIZE);
}

static void test_ip_order(void)
{
    static const char *const ascending[] = {"0.0.0.0", "9.255.255.255", "10.0.0.1", "10.0.0.2", "200.0.0.1",
                                            "::",      "::1",           "fd00::1"};
    for (unsigned i = 0; i < G_N_ELEMENTS(ascending); i++) {
        for (unsigned j = 0; j < G_N_ELEMENTS(ascending); j++) {
            struct ip_addr a = ip(ascending[i]), b = ip(ascending[j]);
            int order = ip_compare(&a, &b);
            g_assert_cmpint((order > 0) - (order < 0), ==, (i > j) - (i < j));
            g_assert_cmpint(ip_equal(&a, &b), ==, i == j);
        }
    }
}

static void test_mac(void)
{
    struct mac_addr mac = {{0}}, other;
    char text[MAC_TEXT_SIZE];
    g_assert_true(mac_is_zero(&mac));
    g_assert_true(mac_parse("02:Ab:00:00:00:ff", &mac, NULL));
    g_assert_cmpstr(mac_format(&mac, text), ==, "02:ab:00:00:00:ff");
    g_assert_false(mac_is_zero(&mac));
    other = mac;
    g_assert_true(mac_equal(&mac, &other));
    static const char *const bad[] = {"",
                                      "02:00:00:00:00",
                                      "02-00-00-00-00-01",
                                      "02:00:00:00:00:0g",
                                      "02:00:00:00:00:011",
                                      "01:00:00:00:00:01",
                                      "ff:ff:ff:ff:ff:ff",
                                      "00:00:00:00:00:00",
                                      "020:0:00:00:00:01"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(mac_parse(bad[i], &mac, &error));
        g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_INVALID);
        g_assert_true(mac_equal(&mac, &other));
    }
}

static void test_prefix_text(void)
{
    static const char *const good[] = {"10.0.0.0/24", "0.0.0.0/0", "10.1.2.3/32", "10.1.2.2/31",
                                       "fd00::/64",   "::/0",      "fd00::1/128"};
    static const char *const bad[] = {"10.0.0.0",    "10.0.0.0/",  "10.0.0.0/33", "10.0.0.0/-1",   "10.0.0.0/+8",
                                      "10.0.0.0/ 8", "fd00::/129", "/24",         "10.0.0.0/24/8", "fd00::/64 "};
    char text[PREFIX_TEXT_SIZE];
    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
        struct ip_prefix p = prefix(good[i]);
        g_assert_cmpstr(prefix_format(&p, text), ==, good[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct ip_prefix p;
        g_autoptr(GError) error = NULL;
        g_assert_false(prefix_parse(bad[i], &p, &error));
        g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_INVALID);
    }
    struct ip_prefix p = {0};
    g_autoptr(GError) error = NULL;
    g_assert_cmpstr(prefix_format(&p, text), ==, "");
    g_assert_false(prefix_parse("10.1.2.3/20", &p, &error));
    g_assert_nonnull(strstr(error->message, "10.1.0.0/20"));
}

static void test_contains(void)
{
    static const struct {
        const char *prefix, *addr;
        bool inside;
    } rows[] = {
        {"10.0.0.0/24", "10.0.0.255", true},
        {"10.0.0.0/24", "10.0.1.0", false},
        {"0.0.0.0/0", "255.0.0.1", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "fd00::1", true},
        {"fd00::/64", "fd00::ffff:0:0:1", true},
        {"fd00::/64", "fd00:0:0:1::", false},
        {"10.1.2.3/32", "10.1.2.3", true},
        {"10.1.2.3/32", "10.1.2.2", false},
        {"10.0.0.128/25", "10.0.0.127", false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct ip_prefix p = prefix(rows[i].prefix);
        struct ip_addr addr = ip(rows[i].addr);
        g_assert_cmpint(prefix_contains(&p, &addr), ==, rows[i].inside);
    }
    struct ip_prefix no_prefix = {0}, all = prefix("0.0.0.0/0");
    struct ip_addr no_addr = {0};
    g_assert_false(prefix_contains(&no_prefix, &no_addr));
    g_assert_false(prefix_contains(&all, &no_addr));
}

static void test_overlaps(void)
{
    static const struct {
        const char *a, *b;
        bool overlap;
    } rows[] = {
        {"10.0.0.0/8", "10.1.0.0/16", true},   {"10.0.0.0/24", "10.0.0.0/24", true}, {"10.0.0.0/25", "10.0.0.128/25", false},
        {"0.0.0.0/0", "192.168.0.0/16", true}, {"::/0", "10.0.0.0/8", false},        {"fd00::/64", "fd00:0:0:1::/64", false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct ip_prefix a = prefix(rows[i].a), b = prefix(rows[i].b);
        g_assert_cmpint(prefix_overlaps(&a, &b), ==, rows[i].overlap);
        g_assert_cmpint(prefix_overlaps(&b, &a), ==, rows[i].overlap);
        g_assert_cmpint(prefix_equal(&a, &b), ==, i == 1);
    }
}

static void test_hosts(void)
{
    static const struct {
        const char *prefix;
        uint64_t count;
        const char *first, *last; /* The last only where its number can be said. */
    } rows[] = {
        {"10.0.0.0/24", 254, "10.0.0.1", "10.0.0.254"},
        {"10.0.0.0/30", 2, "10.0.0.1", "10.0.0.2"},
        {"10.0.0.2/31", 2, "10.0.0.2", "10.0.0.3"},
        {"10.0.0.7/32", 1, "10.0.0.7", "10.0.0.7"},
        {"0.0.0.0/0", 4294967294, "0.0.0.1", "255.255.255.254"},
        {"fd00::/126", 3, "fd00::1", "fd00::3"},
        {"fd00::2/127", 2, "fd00::2", "fd00::3"},
        {"fd00::7/128", 1, "fd00::7", "fd00::7"},
        {"fd00::/64", UINT64_MAX, "fd00::1", "fd00::ffff:ffff:ffff:ffff"},
        {"fd00::/65", (UINT64_C(1) << 63) - 1, "fd00::1", "fd00::7fff:ffff:ffff:ffff"},
        {"fd00::/16", UINT64_MAX, "fd00::1", NULL},
        {"::/0", UINT64_MAX, "::1", NULL},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct ip_prefix p = prefix(rows[i].prefix);
        g_test_message("%s", rows[i].prefix);
        g_assert_cmpuint(prefix_host_count(&p), ==, rows[i].count);
        struct ip_addr first = ip(rows[i].first), got = prefix_host(&p, 0);
        uint64_t n = 4711;
        g_assert_true(ip_equal(&got, &first));
        g_assert_true(prefix_host_number(&p, &first, &n));
        g_assert_cmpuint(n, ==, 0);
        if (rows[i].last) {
            struct ip_addr last = ip(rows[i].last);
            got = prefix_host(&p, rows[i].count - 1);
            g_assert_true(ip_equal(&got, &last));
            g_assert_true(prefix_host_number(&p, &last, &n));
            g_assert_cmpuint(n, ==, rows[i].count - 1);
        }
    }
}

static void assert_no_host(const char *prefix_text, const char *addr_text)
{
    struct ip_prefix p = prefix(prefix_text);
    struct ip_addr addr = ip(addr_text);
    uint64_t n = 4711;
    g_assert_false(prefix_host_number(&p, &addr, &n));
    g_assert_cmpuint(n, ==, 4711);
}

static void test_no_hosts(void)
{
    assert_no_host("10.0.0.0/24", "10.0.0.0");
    assert_no_host("10.0.0.0/24", "10.0.0.255");
    assert_no_host("10.0.0.0/24", "10.0.1.1");
    assert_no_host("10.0.0.0/24", "fd00::1");
    assert_no_host("0.0.0.0/0", "0.0.0.0");
    assert_no_host("0.0.0.0/0", "255.255.255.255");
    assert_no_host("fd00::/64", "fd00::");
    assert_no_host("::/0", "::");
    assert_no_host("10.0.0.2/31", "10.0.0.4");
    /* Fine, but with no number that 64 bits hold. */
    struct ip_prefix wide = prefix("fd00::/16");
    struct ip_addr far = ip("fd00:0:1::"), end = ip("fd00::ffff:ffff:ffff:ffff");
    uint64_t n = 0;
    g_assert_true(prefix_host_number(&wide, &far, &n));
    g_assert_cmpuint(n, ==, UINT64_MAX);
    g_assert_true(prefix_host_number(&wide, &end, &n));
    g_assert_cmpuint(n, ==, UINT64_MAX - 1);
    g_assert_true(prefix_host_number(&wide, &end, NULL));
}

/* Number -> host -> number, for prefixes of every length. */
static void test_host_round_trip(void)
{
    for (int i = 0; i < 20000; i++) {
        bool v6 = g_test_rand_bit();
        struct ip_prefix p = {.addr = {.family = v6 ? 6 : 4}, .length = (uint8_t)g_test_rand_int_range(0, v6 ? 129 : 33)};
        for (unsigned bit = 0; bit < p.length; bit++) {
            p.addr.bytes[bit / 8] |= (uint8_t)(g_test_rand_bit() << (7 - bit % 8));
        }
        uint64_t n = ((uint64_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int()) % prefix_host_count(&p), again = ~n;
        struct ip_addr host = prefix_host(&p, n);
        g_assert_true(prefix_contains(&p, &host));
        g_assert_true(prefix_host_number(&p, &host, &again));
        g_assert_cmpuint(again, ==, n);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ip/text", test_ip_text);
    g_test_add_func("/ip/order", test_ip_order);
    g_test_add_func("/ip/mac", test_mac);
    g_test_add_func("/ip/prefix", test_prefix_text);
    g_test_add_func("/ip/contains", test_contains);
    g_test_add_func("/ip/overlaps", test_overlaps);
    g_test_add_func("/ip/hosts", test_hosts);
    g_test_add_func("/ip/no-hosts", test_no_hosts);
    g_test_add_func("/ip/host-round-trip", test_host_round_trip);
    return g_test_run();
}
