/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/platform.h"

#include <string.h>

#include "distem/delay-table.h"

static void vnetwork_free(void *data)
{
    struct vnetwork *vnetwork = data;
    g_free(vnetwork->name);
    g_free(vnetwork->interface);
    g_free(vnetwork);
}

static void viface_free(void *data)
{
    struct viface *viface = data;
    g_free(viface->name);
    g_free(viface);
}

static void vnode_free(void *data)
{
    struct vnode *vnode = data;
    g_ptr_array_unref(vnode->vifaces);
    if (vnode->routes) {
        g_array_unref(vnode->routes);
    }
    g_free(vnode->name);
    g_free(vnode->pnode);
    g_free(vnode->where);
    g_free(vnode->labels);
    g_free(vnode->image);
    g_free(vnode->error);
    g_free(vnode);
}

static void playback_text_free(void *data)
{
    struct playback_text *playback = data;
    g_free(playback->name);
    g_free(playback->text);
    g_free(playback);
}

struct platform *platform_new(const char *name)
{
    struct platform *platform = g_new0(struct platform, 1);
    platform->name = g_strdup(name);
    platform->vnetworks = g_ptr_array_new_with_free_func(vnetwork_free);
    platform->vnodes = g_ptr_array_new_with_free_func(vnode_free);
    platform->vroutes = g_ptr_array_new_with_free_func(g_free);
    platform->playbacks = g_ptr_array_new_with_free_func(playback_text_free);
    platform->tables = g_ptr_array_new_with_free_func((GDestroyNotify)delay_table_unref);
    return platform;
}

struct vnetwork *platform_add_vnetwork(struct platform *platform, const char *name)
{
    struct vnetwork *vnetwork = g_new0(struct vnetwork, 1);
    vnetwork->name = g_strdup(name);
    g_ptr_array_add(platform->vnetworks, vnetwork);
    return vnetwork;
}

struct vnode *platform_add_vnode(struct platform *platform, const char *name)
{
    struct vnode *vnode = g_new0(struct vnode, 1);
    vnode->name = g_strdup(name);
    vnode->image = g_strdup("host");
    vnode->vifaces = g_ptr_array_new_with_free_func(viface_free);
    g_ptr_array_add(platform->vnodes, vnode);
    return vnode;
}

struct viface *vnode_add_viface(struct vnode *vnode, const char *name, struct vnetwork *vnetwork)
{
    struct viface *viface = g_new0(struct viface, 1);
    viface->name = g_strdup(name);
    viface->vnetwork = vnetwork;
    g_ptr_array_add(vnode->vifaces, viface);
    return viface;
}

struct vroute *platform_add_vroute(struct platform *platform, struct vnetwork *from, struct vnode *via)
{
    struct vroute *vroute = g_new0(struct vroute, 1);
    vroute->from = from;
    vroute->via = via;
    g_ptr_array_add(platform->vroutes, vroute);
    return vroute;
}

struct playback_text *platform_add_playback(struct platform *platform, const char *name, const char *text)
{
    struct playback_text *playback = g_new0(struct playback_text, 1);
    playback->name = g_strdup(name);
    playback->text = g_strdup(text);
    g_ptr_array_add(platform->playbacks, playback);
    return playback;
}

struct pnode *pnode_new(const char *name)
{
    struct pnode *pnode = g_new0(struct pnode, 1);
    pnode->name = g_strdup(name);
    pnode->interfaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    pnode->labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    pnode->doubts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return pnode;
}

void platform_free(struct platform *platform)
{
    if (platform) {
        matrix_unref(platform->matrix);
        g_ptr_array_unref(platform->tables);
        g_ptr_array_unref(platform->playbacks);
        g_ptr_array_unref(platform->vroutes);
        g_ptr_array_unref(platform->vnodes);
        g_ptr_array_unref(platform->vnetworks);
        g_free(platform->name);
        g_free(platform);
    }
}

void pnode_free(struct pnode *pnode)
{
    if (pnode) {
        g_hash_table_unref(pnode->interfaces);
        g_hash_table_unref(pnode->labels);
        g_hash_table_unref(pnode->doubts);
        g_free(pnode->name);
        g_free(pnode->identity);
        g_free(pnode->kernel);
        g_free(pnode->missing);
        g_free(pnode->no_matrix);
        g_free(pnode->no_blackouts);
        g_free(pnode->address);
        g_free(pnode->error);
        g_free(pnode);
    }
}

struct pnode *pnode_copy(const struct pnode *from)
{
    struct pnode *to = pnode_new(from->name);
    const struct pnode empty = *to;
    *to = *from;
    to->name = empty.name;
    to->interfaces = empty.interfaces;
    to->labels = empty.labels;
    to->doubts = empty.doubts;
    to->identity = g_strdup(from->identity);
    to->kernel = g_strdup(from->kernel);
    to->missing = g_strdup(from->missing);
    to->no_matrix = g_strdup(from->no_matrix);
    to->no_blackouts = g_strdup(from->no_blackouts);
    to->address = g_strdup(from->address);
    to->error = g_strdup(from->error);
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, from->interfaces);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        g_hash_table_insert(to->interfaces, g_strdup(key), value);
    }
    g_hash_table_iter_init(&iter, from->doubts);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        g_hash_table_insert(to->doubts, g_strdup(key), value);
    }
    g_hash_table_iter_init(&iter, from->labels);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        g_hash_table_insert(to->labels, g_strdup(key), g_strdup(value));
    }
    return to;
}

static void copy_vnode(struct platform *to, const struct vnode *from, GHashTable *twins)
{
    struct vnode *vnode = platform_add_vnode(to, from->name);
    struct vnode empty = *vnode;
    *vnode = *from;
    vnode->name = empty.name;
    vnode->vifaces = empty.vifaces;
    g_free(empty.image);
    vnode->image = g_strdup(from->image);
    vnode->pnode = g_strdup(from->pnode);
    vnode->where = g_strdup(from->where);
    vnode->labels = g_strdup(from->labels);
    vnode->error = g_strdup(from->error);
    vnode->routes = from->routes ? g_array_ref(from->routes) : NULL;
    for (unsigned i = 0; i < from->vifaces->len; i++) {
        const struct viface *old = vnode_viface(from, i);
        struct viface *viface = vnode_add_viface(vnode, old->name, NULL);
        char *name = viface->name;
        *viface = *old;
        viface->name = name;
        viface->vnetwork = g_hash_table_lookup(twins, old->vnetwork);
    }
    g_hash_table_insert(twins, (void *)from, vnode);
}

struct platform *platform_copy(const struct platform *from)
{
    struct platform *to = platform_new(from->name);
    to->routing = from->routing;
    to->generation = from->generation;
    to->next_id = from->next_id;
    to->matrix = matrix_ref(from->matrix);
    /* Object of 'from' -> its copy. */
    g_autoptr(GHashTable) twins = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < from->vnetworks->len; i++) {
        struct vnetwork *old = platform_vnetwork(from, i);
        struct vnetwork *vnetwork = platform_add_vnetwork(to, old->name);
        char *name = vnetwork->name;
        *vnetwork = *old;
        vnetwork->name = name;
        vnetwork->interface = g_strdup(old->interface);
        g_hash_table_insert(twins, old, vnetwork);
    }
    for (unsigned i = 0; i < from->vnodes->len; i++) {
        copy_vnode(to, platform_vnode(from, i), twins);
    }
    for (unsigned i = 0; i < from->vroutes->len; i++) {
        const struct vroute *old = platform_vroute(from, i);
        struct vroute *vroute =
            platform_add_vroute(to, g_hash_table_lookup(twins, old->from), g_hash_table_lookup(twins, old->via));
        vroute->to = old->to ? g_hash_table_lookup(twins, old->to) : NULL;
        vroute->prefix = old->prefix;
    }
    for (unsigned i = 0; i < from->playbacks->len; i++) {
        platform_add_playback(to, platform_playback(from, i)->name, platform_playback(from, i)->text);
    }
    for (unsigned i = 0; i < from->tables->len; i++) {
        g_ptr_array_add(to->tables, delay_table_ref(from->tables->pdata[i]));
    }
    return to;
}

void platform_reopen(struct platform *platform)
{
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        struct vnetwork *vnetwork = platform_vnetwork(platform, i);
        vnetwork->mtu = vnetwork->mtu_chosen ? 0 : vnetwork->mtu;
        vnetwork->underlay = vnetwork->underlay_chosen ? 0 : vnetwork->underlay;
        vnetwork->mtu_chosen = vnetwork->underlay_chosen = false;
    }
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(platform, i);
        if (vnode->pnode_chosen) {
            g_clear_pointer(&vnode->pnode, g_free);
            vnode->pnode_chosen = false;
        }
    }
}

struct vnetwork *platform_find_vnetwork(const struct platform *platform, const char *name)
{
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        if (!strcmp(platform_vnetwork(platform, i)->name, name)) {
            return platform_vnetwork(platform, i);
        }
    }
    return NULL;
}

struct vnode *platform_find_vnode(const struct platform *platform, const char *name)
{
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        if (!strcmp(platform_vnode(platform, i)->name, name)) {
            return platform_vnode(platform, i);
        }
    }
    return NULL;
}

struct viface *vnode_find_viface(const struct vnode *vnode, const char *name)
{
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        if (!strcmp(vnode_viface(vnode, i)->name, name)) {
            return vnode_viface(vnode, i);
        }
    }
    return NULL;
}

GHashTable *platform_index_vnodes(const struct platform *platform)
{
    GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(platform, i);
        g_hash_table_insert(index, vnode->name, vnode);
    }
    return index;
}

GHashTable *platform_index_vnetworks(const struct platform *platform)
{
    GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        struct vnetwork *vnetwork = platform_vnetwork(platform, i);
        g_hash_table_insert(index, vnetwork->name, vnetwork);
    }
    return index;
}

/* Returns the place of 'word' among 'count' words, or -1. */
static int find_word(const char *const *words, unsigned count, const char *word)
{
    for (unsigned i = 0; i < count; i++) {
        if (!strcmp(words[i], word)) {
            return (int)i;
        }
    }
    return -1;
}

static const char *const distribution_words[] = {"uniform", "normal", "pareto", "paretonormal"};
static const char *const framing_words[] = {"ethernet", "l2", "ip"};
static const char *const aqm_words[] = {"droptail", "codel", "fq_codel", "pie"};
static const char *const routing_words[] = {"hops", "latency", "none"};
static const char *const transport_words[] = {"", "vxlan", "vlan", "local"};
static const char *const vnode_state_words[] = {"unknown", "waiting", "running", "failed"};

const char *distribution_name(enum distribution distribution)
{
    return distribution_words[distribution];
}

bool distribution_parse(const char *word, enum distribution *ret)
{
    int i = find_word(distribution_words, G_N_ELEMENTS(distribution_words), word);
    return i >= 0 && (*ret = (enum distribution)i, true);
}

const char *framing_name(enum framing framing)
{
    return framing_words[framing];
}

bool framing_parse(const char *word, enum framing *ret)
{
    int i = find_word(framing_words, G_N_ELEMENTS(framing_words), word);
    return i >= 0 && (*ret = (enum framing)i, true);
}

const char *aqm_name(enum aqm aqm)
{
    return aqm_words[aqm];
}

bool aqm_parse(const char *word, enum aqm *ret)
{
    int i = find_word(aqm_words, G_N_ELEMENTS(aqm_words), word);
    return i >= 0 && (*ret = (enum aqm)i, true);
}

const char *transport_name(enum transport transport)
{
    return transport_words[transport];
}

bool transport_parse(const char *word, enum transport *ret)
{
    int i = find_word(transport_words, G_N_ELEMENTS(transport_words), word);
    return i > 0 && (*ret = (enum transport)i, true);
}

const char *routing_name(enum routing routing)
{
    return routing_words[routing];
}

bool routing_parse(const char *word, enum routing *ret)
{
    int i = find_word(routing_words, G_N_ELEMENTS(routing_words), word);
    return i >= 0 && (*ret = (enum routing)i, true);
}

const char *vnode_state_name(enum vnode_state state)
{
    return vnode_state_words[state];
}

bool vnode_state_parse(const char *word, enum vnode_state *ret)
{
    int i = find_word(vnode_state_words, G_N_ELEMENTS(vnode_state_words), word);
    return i >= 0 && (*ret = (enum vnode_state)i, true);
}
