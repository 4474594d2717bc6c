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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/placement/one", test_one);
    g_test_add_func("/plan/placement/together", test_together);
    g_test_add_func("/plan/placement/shares", test_shares);
    g_test_add_func("/plan/placement/asked-and-kept", test_asked_and_kept);
    g_test_add_func("/plan/placement/tight", test_tight);
    g_test_add_func("/plan/placement/no-room", test_no_room);
    return g_test_run();
}
