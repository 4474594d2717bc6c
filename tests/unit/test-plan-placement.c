/* SPDX-License-Identifier: Apache-2.0 */
/* Which vnode runs on which pnode. */
#include <config.h>

#include <glib.h>
#include <string.h>

#include "make-platform.h"

#define GIB (UINT64_C(1) << 30)

static void free_pnode(void *pnode)
{
    pnode_free(pnode);
}

/* Pnodes p0, p1 ... with these cores and memory (0: not known). */
static GPtrArray *make_pnodes(unsigned n, uint32_t cores, uint64_t memory)
{
    GPtrArray *pnodes = g_ptr_array_new_with_free_func(free_pnode);
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("p%u", i);
        struct pnode *pnode = pnode_new(name);
        pnode->cores = cores;
        pnode->memory = memory;
        pnode->ipv4 = make_address("192.0.2.1");
        g_ptr_array_add(pnodes, pnode);
    }
    return pnodes;
}

/* 'n' vnetworks with 'each' vnodes, which have 'memory'. */
static struct platform *make_nets(unsigned n, unsigned each, uint64_t memory)
{
    struct platform *platform = platform_new("nets");
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("net%u", i), *prefix = g_strdup_printf("10.0.%u.0/24", i);
        make_vnetwork(platform, name, prefix);
    }
    /* Not in the vnetworks' order. */
    for (unsigned i = 0; i < n * each; i++) {
        g_autofree char *name = g_strdup_printf("n%u", i), *vnetwork = g_strdup_printf("net%u", i % n);
        make_vnode(platform, name, vnetwork)->memory = memory;
    }
    return platform;
}

static struct platform *place(struct platform *asked, const struct platform *current, GPtrArray *pnodes)
{
    AUTO_DIAGNOSTICS problems = {0};
    struct platform *planned = plan(asked, current, pnodes, &problems, NULL);
    if (!planned) {
        g_error("%s", diagnostics_get(&problems, 0)->message);
    }
    platform_free(asked);
    return planned;
}

/* Asserts that placing fails and some problem is 'text'; frees both. */
static void assert_no_room(struct platform *asked, GPtrArray *pnodes, const char *text)
{
    AUTO_DIAGNOSTICS problems = {0};
    g_assert_null(plan(asked, NULL, pnodes, &problems, NULL));
    bool found = false;
    for (unsigned i = 0; i < diagnostics_count(&problems); i++) {
        g_test_message("%s", diagnostics_get(&problems, i)->message);
        found |= !strcmp(diagnostics_get(&problems, i)->message, text);
    }
    g_assert_true(found);
    platform_free(asked);
    g_ptr_array_unref(pnodes);
}

static unsigned count_on(const struct platform *platform, const char *pnode)
{
    unsigned n = 0;
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        n += !strcmp(platform_vnode(platform, i)->pnode, pnode);
    }
    return n;
}

static void test_one(void)
{
    g_autoptr(GPtrArray) pnodes = make_pnodes(1, 2, 2 * GIB);
    AUTO_PLATFORM platform = place(make_figure3(), NULL, pnodes);
    g_assert_cmpuint(count_on(platform, "p0"), ==, 5);
    g_autoptr(GPtrArray) none = make_pnodes(0, 0, 0);
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM asked = make_figure3();
    g_assert_null(plan(asked, NULL, none, &problems, NULL));
    g_assert_cmpstr(diagnostics_get(&problems, 0)->message, ==, "there is no pnode to run vnodes on");
}

/* Four vnetworks on two pnodes: equally many on both, and no vnetwork on both. */
static void test_together(void)
{
    g_autoptr(GPtrArray) pnodes = make_pnodes(2, 0, 0);
    AUTO_PLATFORM platform = place(make_nets(4, 10, 0), NULL, pnodes);
    g_assert_cmpuint(count_on(platform, "p0"), ==, 20);
    g_assert_cmpuint(count_on(platform, "p1"), ==, 20);
    for (unsigned i = 4; i < 40; i++) {
        g_assert_cmpstr(platform_vnode(platform, i)->pnode, ==, platform_vnode(platform, i % 4)->pnode);
    }
    /* One large vnetwork is spread all the same. */
    AUTO_PLATFORM large = place(make_nets(1, 41, 0), NULL, pnodes);
    g_assert_cmpuint(count_on(large, "p0") - 20, <=, 1);
    g_assert_cmpuint(count_on(large, "p1") - 20, <=, 1);
}

/* Machines get what suits their strength, whatever order they come in. */
static void test_shares(void)
{
    g_autoptr(GPtrArray) pnodes = make_pnodes(3, 4, 8 * GIB);
    struct pnode *strong = pnodes->pdata[0];
    strong->cores = 8;
    strong->memory = 16 * GIB;
    AUTO_PLATFORM platform = place(make_nets(2, 20, 0), NULL, pnodes);
    g_assert_cmpuint(count_on(platform, "p0"), ==, 20);
    g_assert_cmpuint(count_on(platform, "p1"), ==, 10);
    struct pnode *first = pnodes->pdata[0];
    pnodes->pdata[0] = pnodes->pdata[2];
    pnodes->pdata[2] = first;
    AUTO_PLATFORM again = place(make_nets(2, 20, 0), NULL, pnodes);
    g_autofree char *text = dump_platform(platform), *again_text = dump_platform(again);
    g_assert_cmpstr(text, ==, again_text);
}

static void test_asked_and_kept(void)
{
    g_autoptr(GPtrArray) pnodes = make_pnodes(2, 4, 8 * GIB);
    struct platform *asked = make_nets(1, 4, GIB);
    platform_vnode(asked, 3)->pnode = g_strdup("p1");
    AUTO_PLATFORM first = place(asked, NULL, pnodes);
    g_assert_cmpstr(platform_vnode(first, 3)->pnode, ==, "p1");
    g_assert_cmpuint(count_on(first, "p1"), ==, 2);
    /* New vnodes go where there is room; the others stay, even if a pnode joins. */
    g_autoptr(GPtrArray) more = make_pnodes(3, 4, 8 * GIB);
    AUTO_PLATFORM second = place(make_nets(1, 6, GIB), first, more);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmpstr(platform_vnode(second, i)->pnode, ==, platform_vnode(first, i)->pnode);
    }
    g_assert_cmpuint(count_on(second, "p2"), ==, 2);
    /* A pnode that is gone, or too small for what its vnodes have become, loses them. */
    g_autoptr(GPtrArray) fewer = make_pnodes(1, 4, 8 * GIB);
    AUTO_PLATFORM third = place(make_nets(1, 6, GIB), second, fewer);
    g_assert_cmpuint(count_on(third, "p0"), ==, 6);
    AUTO_PLATFORM fourth = place(make_nets(1, 6, 3 * GIB), third, more);
    g_assert_cmpuint(count_on(fourth, "p0"), ==, 2);
}

/* Filling in order would leave 2 and 2 GiB, and no place for the last one. */
static void test_tight(void)
{
    g_autoptr(GPtrArray) pnodes = make_pnodes(2, 0, 6 * GIB);
    struct platform *asked = make_nets(1, 5, 2 * GIB);
    platform_vnode(asked, 4)->memory = 4 * GIB;
    AUTO_PLATFORM platform = place(asked, NULL, pnodes);
    g_assert_cmpuint(count_on(platform, platform_vnode(platform, 4)->pnode), ==, 2);
}

static void test_no_room(void)
{
    assert_no_room(make_nets(1, 5, 8 * GIB), make_pnodes(2, 0, 16 * GIB),
                   "memory: the vnodes want 40GiB together, and 2 pnodes have 32GiB: ask for less, or for fewer vnodes");
    struct platform *asked = make_nets(1, 3, 0);
    for (unsigned i = 0; i < 3; i++) {
        platform_vnode(asked, i)->cores = 2;
    }
    assert_no_room(asked, make_pnodes(1, 4, 0),
                   "cores: the vnodes want 6 together, and 1 pnode has 4: ask for less, or for fewer vnodes");
    GPtrArray *pnodes = make_pnodes(2, 0, 0);
    ((struct pnode *)pnodes->pdata[0])->max_vnodes = ((struct pnode *)pnodes->pdata[1])->max_vnodes = 2;
    assert_no_room(make_nets(1, 5, 0), pnodes,
                   "vnodes: the vnodes want 5 together, and 2 pnodes have 4: ask for less, or for fewer vnodes");
    pnodes = make_pnodes(1, 0, 0);
    ((struct pnode *)pnodes->pdata[0])->max_vifaces = 5;
    assert_no_room(make_figure3(), pnodes,
                   "vifaces: the vnodes want 6 together, and 1 pnode has 5: ask for less, or for fewer vnodes");
    /* Enough in all, but not in one place. */
    assert_no_room(make_nets(1, 3, 4 * GIB), make_pnodes(2, 0, 6 * GIB),
                   "vnode n2: memory: 4GiB wanted, no pnode has more than 2GiB left");
    asked = make_figure3();
    platform_vnode(asked, 0)->pnode = g_strdup("p9");
    assert_no_room(asked, make_pnodes(2, 0, 0), "vnode n1: there is no pnode p9; there are p0 and others");
    asked = make_nets(1, 2, 4 * GIB);
    platform_vnode(asked, 0)->pnode = g_strdup("p0");
    platform_vnode(asked, 1)->pnode = g_strdup("p0");
    assert_no_room(asked, make_pnodes(2, 0, 6 * GIB),
                   "pnode p0: memory: 8GiB wanted by the vnodes that are to run there, it has 6GiB");
}

/* Gives pnode 'i' a label. */
static void set_label(GPtrArray *pnodes, unsigned i, const char *name, const char *value)
{
    struct pnode *pnode = pnodes->pdata[i];
    g_hash_table_insert(pnode->labels, g_strdup(name), g_strdup(value));
}

static void test_labels(void)
{
    g_autoptr(GPtrArray) pnodes = make_pnodes(4, 0, 8 * GIB);
    set_label(pnodes, 1, "site", "nancy");
    set_label(pnodes, 2, "site", "nancy");
    set_label(pnodes, 2, "rack", "a");
    struct platform *asked = make_nets(2, 10, GIB / 4);
    for (unsigned i = 0; i < 8; i++) {
        platform_vnode(asked, i)->where = g_strdup("site=nancy");
    }
    platform_vnode(asked, 8)->where = g_strdup("rack=a,site=nancy");
    AUTO_PLATFORM platform = place(asked, NULL, pnodes);
    for (unsigned i = 0; i < 8; i++) {
        const char *pnode = platform_vnode(platform, i)->pnode;
        g_assert_true(!strcmp(pnode, "p1") || !strcmp(pnode, "p2"));
    }
    g_assert_cmpstr(platform_vnode(platform, 8)->pnode, ==, "p2");
    /* The others fill up what those left: all are even. */
    for (unsigned i = 0; i < 4; i++) {
        g_autofree char *name = g_strdup_printf("p%u", i);
        g_assert_cmpuint(count_on(platform, name), ==, 5);
    }
    /* A label that is asked for later moves the vnode. */
    asked = platform_copy(platform);
    platform_reopen(asked);
    g_free(platform_vnode(asked, 0)->where);
    platform_vnode(asked, 0)->where = g_strdup("rack=a");
    AUTO_PLATFORM moved = place(asked, platform, pnodes);
    g_assert_cmpstr(platform_vnode(moved, 0)->pnode, ==, "p2");
}

static void test_no_label(void)
{
    struct platform *asked = make_nets(1, 2, 0);
    platform_vnode(asked, 1)->where = g_strdup("site=lyon");
    assert_no_room(asked, make_pnodes(2, 0, 0), "vnode n1: there is no pnode with the labels site=lyon");
    asked = make_nets(1, 3, 4 * GIB);
    GPtrArray *pnodes = make_pnodes(3, 0, 6 * GIB);
    set_label(pnodes, 0, "site", "nancy");
    for (unsigned i = 0; i < 3; i++) {
        platform_vnode(asked, i)->where = g_strdup("site=nancy");
    }
    assert_no_room(
        asked, pnodes,
        "memory: the vnodes whose pnode must have site=nancy want 12GiB together, and 1 pnode has 6GiB: ask for less, or for "
        "fewer vnodes");
    /* Enough in all, and room for the last one elsewhere. */
    asked = make_nets(1, 3, 4 * GIB);
    pnodes = make_pnodes(3, 0, 6 * GIB);
    set_label(pnodes, 1, "site", "nancy");
    set_label(pnodes, 2, "site", "nancy");
    for (unsigned i = 0; i < 3; i++) {
        platform_vnode(asked, i)->where = g_strdup("site=nancy");
    }
    assert_no_room(asked, pnodes, "vnode n2: memory: 4GiB wanted, no pnode with the labels site=nancy has more than 2GiB left");
    asked = make_nets(1, 1, 0);
    platform_vnode(asked, 0)->where = g_strdup("site=nancy");
    platform_vnode(asked, 0)->pnode = g_strdup("p0");
    assert_no_room(asked, make_pnodes(2, 0, 0), "vnode n0: pnode p0, where it is asked to be, does not have the labels site=nancy");
    pnodes = make_pnodes(1, 0, 0);
    ((struct pnode *)pnodes->pdata[0])->draining = true;
    assert_no_room(make_nets(1, 1, 0), pnodes, "vnode n0: every pnode is draining or has not been heard of for long");
}

/* Makes vnetwork net'i' local. */
static void make_local(struct platform *platform, unsigned i)
{
    platform_vnetwork(platform, i)->transport = TRANSPORT_LOCAL;
}

static void test_local(void)
{
    g_autoptr(GPtrArray) pnodes = make_pnodes(3, 0, 0);
    struct platform *asked = make_nets(3, 10, 0);
    make_local(asked, 0);
    make_local(asked, 1);
    make_vnode(asked, "bridge", "net0 net1");
    platform_vnode(asked, 4)->pnode = g_strdup("p2");
    AUTO_PLATFORM platform = place(asked, NULL, pnodes);
    for (unsigned i = 0; i < 30; i++) {
        if (i % 3 != 2) {
            g_assert_cmpstr(platform_vnode(platform, i)->pnode, ==, "p2");
        }
    }
    g_assert_cmpuint(count_on(platform, "p2"), ==, 21);
    g_assert_false(platform_vnode(platform, 4)->pnode_chosen);
    g_assert_true(platform_vnode(platform, 0)->pnode_chosen);
    /* One that becomes local comes together. */
    asked = platform_copy(platform);
    platform_reopen(asked);
    make_local(asked, 2);
    AUTO_PLATFORM joined = place(asked, platform, pnodes);
    for (unsigned i = 5; i < 30; i += 3) {
        g_assert_cmpstr(platform_vnode(joined, i)->pnode, ==, platform_vnode(joined, 2)->pnode);
    }
    asked = make_nets(1, 3, 0);
    make_local(asked, 0);
    platform_vnode(asked, 0)->pnode = g_strdup("p0");
    platform_vnode(asked, 2)->pnode = g_strdup("p1");
    static const char apart[] =
        "vnodes n0 and n2 are asked to be on pnodes p0 and p1, but vnetworks of transport local join them: ask for "
        "one pnode, or for another transport";
    AUTO_PLATFORM copy = platform_copy(asked);
    assert_no_room(asked, make_pnodes(2, 0, 0), apart);
    AUTO_DIAGNOSTICS problems = {0};
    g_assert_null(plan(copy, NULL, NULL, &problems, NULL));
    g_assert_cmpstr(diagnostics_get(&problems, 0)->message, ==, apart);
    asked = make_nets(1, 3, 4 * GIB);
    make_local(asked, 0);
    assert_no_room(asked, make_pnodes(2, 0, 8 * GIB),
                   "vnode n0 and 2 more that local vnetworks join to it: memory: 12GiB wanted, no pnode has more than 8GiB left");
}

/* Plans 'current' anew for changed pnodes. */
static struct platform *replan(const struct platform *current, GPtrArray *pnodes)
{
    struct platform *asked = platform_copy(current);
    platform_reopen(asked);
    return place(asked, current, pnodes);
}

static void test_draining(void)
{
    g_autoptr(GPtrArray) pnodes = make_pnodes(3, 0, 0);
    AUTO_PLATFORM first = place(make_nets(3, 10, 0), NULL, pnodes);
    g_assert_cmpuint(count_on(first, "p1"), ==, 10);
    ((struct pnode *)pnodes->pdata[1])->draining = true;
    AUTO_PLATFORM second = replan(first, pnodes);
    g_assert_cmpuint(count_on(second, "p0"), ==, 15);
    g_assert_cmpuint(count_on(second, "p2"), ==, 15);
    for (unsigned i = 0; i < 30; i++) {
        const char *before = platform_vnode(first, i)->pnode;
        g_assert_true(!strcmp(before, "p1") || !strcmp(before, platform_vnode(second, i)->pnode));
    }
    struct platform *asked = make_nets(1, 1, 0);
    platform_vnode(asked, 0)->pnode = g_strdup("p1");
    assert_no_room(asked, g_ptr_array_ref(pnodes),
                   "vnode n0: pnode p1, where it is asked to be, is draining: ask for another, or for none");
}

static void test_lost(void)
{
    g_autoptr(GPtrArray) pnodes = make_pnodes(3, 0, 0);
    AUTO_PLATFORM first = place(make_nets(3, 10, 0), NULL, pnodes);
    ((struct pnode *)pnodes->pdata[1])->lost = true;
    AUTO_PLATFORM second = replan(first, pnodes);
    g_autoptr(GPtrArray) changes = plan_diff(first, second);
    g_assert_cmpuint(changes->len, ==, 0);
    /* New ones go elsewhere. */
    AUTO_PLATFORM third = place(make_nets(3, 20, 0), second, pnodes);
    g_assert_cmpuint(count_on(third, "p1"), ==, 10);
    /* Who is there may be asked to be there, a new one not. */
    struct platform *asked = make_nets(1, 1, 0);
    platform_vnode(asked, 0)->pnode = g_strdup("p1");
    assert_no_room(
        asked, g_ptr_array_ref(pnodes),
        "vnode n0: pnode p1, where it would have to go, has not been heard of for long: start its daemon again, or ask for "
        "another pnode");
    asked = make_nets(3, 10, 0);
    for (unsigned i = 0; i < 30; i++) {
        platform_vnode(asked, i)->pnode = g_strdup(platform_vnode(first, i)->pnode);
    }
    AUTO_PLATFORM fourth = place(asked, first, pnodes);
    g_assert_cmpuint(count_on(fourth, "p1"), ==, 10);
}

/* Vnodes with many vifaces weigh more. */
static void test_vifaces(void)
{
    g_autoptr(GPtrArray) pnodes = make_pnodes(2, 0, 0);
    struct platform *asked = make_nets(9, 2, 0);
    make_vnode(asked, "wide", "net0 net1 net2 net3 net4 net5 net6 net7 net8");
    AUTO_PLATFORM platform = place(asked, NULL, pnodes);
    const char *wide = platform_find_vnode(platform, "wide")->pnode;
    g_assert_cmpuint(count_on(platform, wide), <, count_on(platform, strcmp(wide, "p0") ? "p0" : "p1"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/placement/one", test_one);
    g_test_add_func("/plan/placement/together", test_together);
    g_test_add_func("/plan/placement/shares", test_shares);
    g_test_add_func("/plan/placement/asked-and-kept", test_asked_and_kept);
    g_test_add_func("/plan/placement/tight", test_tight);
    g_test_add_func("/plan/placement/no-room", test_no_room);
    g_test_add_func("/plan/placement/labels", test_labels);
    g_test_add_func("/plan/placement/no-label", test_no_label);
    g_test_add_func("/plan/placement/local", test_local);
    g_test_add_func("/plan/placement/draining", test_draining);
    g_test_add_func("/plan/placement/lost", test_lost);
    g_test_add_func("/plan/placement/vifaces", test_vifaces);
    return g_test_run();
}
