/* SPDX-License-Identifier: Apache-2.0 */
/* Which measurements can run at the same time. */
#include <config.h>

#include "distem/expect.h"
#include "hash.h"

/* The rounds in which one viface direction is in use. */
struct use {
    const struct viface *viface;
    bool output;
    unsigned free;  /* All rounds before this one are taken. */
    GArray *rounds; /* Bits (uint64_t) of the rounds that are taken. */
};

static guint use_hash(gconstpointer data)
{
    const struct use *use = data;
    return (guint)hash_64((uintptr_t)use->viface ^ use->output);
}

static gboolean use_equal(gconstpointer a, gconstpointer b)
{
    const struct use *left = a, *right = b;
    return left->viface == right->viface && left->output == right->output;
}

static void use_free(void *data)
{
    struct use *use = data;
    g_array_unref(use->rounds);
    g_free(use);
}

/* Appends the uses of 'path' to 'found', making those that are new. */
static void find_uses(GHashTable *uses, const struct path *path, GPtrArray *found)
{
    for (unsigned i = 0; i < path->hops->len; i++) {
        const struct hop *hop = &g_array_index(path->hops, struct hop, i);
        const struct use key = {.viface = hop->viface, .output = hop->output};
        struct use *use = g_hash_table_lookup(uses, &key);
        if (!use) {
            use = g_new(struct use, 1);
            *use = (struct use){hop->viface, hop->output, 0, g_array_new(FALSE, TRUE, sizeof(uint64_t))};
            g_hash_table_add(uses, use);
        }
        g_ptr_array_add(found, use);
    }
}

/* Returns the first round from 'round' on, within its word of 64, that none of 'uses' takes, or the next word's first. */
static unsigned next_free(const GPtrArray *uses, unsigned round, bool *ret_found)
{
    uint64_t taken = (UINT64_C(1) << round % 64) - 1;
    for (unsigned i = 0; i < uses->len; i++) {
        const struct use *use = uses->pdata[i];
        taken |= round / 64 < use->rounds->len ? g_array_index(use->rounds, uint64_t, round / 64) : 0;
    }
    *ret_found = taken != UINT64_MAX;
    return (round & ~63u) + (*ret_found ? (unsigned)__builtin_ctzll(~taken) : 64);
}

/* Returns the first round that none of 'uses' takes, and takes it. */
static unsigned take_round(const GPtrArray *uses)
{
    unsigned round = 0;
    for (unsigned i = 0; i < uses->len; i++) {
        round = MAX(round, ((const struct use *)uses->pdata[i])->free);
    }
    bool found = false;
    while (!found) {
        round = next_free(uses, round, &found);
    }
    for (unsigned i = 0; i < uses->len; i++) {
        struct use *use = uses->pdata[i];
        if (round / 64 >= use->rounds->len) {
            g_array_set_size(use->rounds, round / 64 + 1);
        }
        g_array_index(use->rounds, uint64_t, round / 64) |= UINT64_C(1) << round % 64;
        while (use->free / 64 < use->rounds->len && g_array_index(use->rounds, uint64_t, use->free / 64) >> use->free % 64 & 1) {
            use->free++;
        }
    }
    return round;
}

GPtrArray *expect_rounds(const GPtrArray *expectations)
{
    GPtrArray *rounds = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    g_autoptr(GHashTable) uses = g_hash_table_new_full(use_hash, use_equal, use_free, NULL);
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    for (unsigned i = 0; i < expectations->len; i++) {
        struct expectation *expectation = expectations->pdata[i];
        g_ptr_array_set_size(found, 0);
        find_uses(uses, &expectation->there, found);
        find_uses(uses, &expectation->back, found);
        unsigned round = take_round(found);
        while (rounds->len <= round) {
            g_ptr_array_add(rounds, g_ptr_array_new());
        }
        g_ptr_array_add(rounds->pdata[round], expectation);
    }
    return rounds;
}
