/* SPDX-License-Identifier: Apache-2.0 */
/* Rows -> structs. Rows come in no order: everything is sorted by its id. */
#include <config.h>

#include "db-impl.h"
#include "db-text.h"

#include <string.h>

#include "distem/delay-table.h"

const struct distemrec_platform *db_root(const struct db *db)
{
    return distemrec_platform_first(db->idl);
}

uint64_t db_generation(const struct db *db)
{
    const struct distemrec_platform *root = db_root(db);
    return root ? (uint64_t)root->generation : 0;
}

/* Returns NULL for "". */
static char *text_or_null(const char *text)
{
    return *text ? g_strdup(text) : NULL;
}

static struct ip_prefix read_prefix(const char *text)
{
    struct ip_prefix prefix = {0};
    (void)(*text && prefix_parse(text, &prefix, NULL));
    return prefix;
}

static struct ip_addr read_ip(const char *text)
{
    struct ip_addr addr = {0};
    (void)(*text && ip_addr_parse(text, &addr, NULL));
    return addr;
}

static gint compare_vnetworks(gconstpointer a, gconstpointer b)
{
    uint32_t x = (*(struct vnetwork *const *)a)->id;
    uint32_t y = (*(struct vnetwork *const *)b)->id;
    return (x > y) - (x < y);
}

static gint compare_vnodes(gconstpointer a, gconstpointer b)
{
    uint32_t x = (*(struct vnode *const *)a)->id;
    uint32_t y = (*(struct vnode *const *)b)->id;
    return (x > y) - (x < y);
}

/* Orders by vnode, then place in the vnode. */
static gint compare_viface_rows(gconstpointer a, gconstpointer b)
{
    const struct distemrec_viface *x = *(const struct distemrec_viface *const *)a;
    const struct distemrec_viface *y = *(const struct distemrec_viface *const *)b;
    return x->vnode != y->vnode ? (x->vnode > y->vnode) - (x->vnode < y->vnode)
                                : (x->position > y->position) - (x->position < y->position);
}

static gint compare_vroute_rows(gconstpointer a, gconstpointer b)
{
    const struct distemrec_vroute *x = *(const struct distemrec_vroute *const *)a;
    const struct distemrec_vroute *y = *(const struct distemrec_vroute *const *)b;
    return (x->position > y->position) - (x->position < y->position);
}

static gint compare_playback_rows(gconstpointer a, gconstpointer b)
{
    const struct distemrec_playback *x = *(const struct distemrec_playback *const *)a;
    const struct distemrec_playback *y = *(const struct distemrec_playback *const *)b;
    return (x->position > y->position) - (x->position < y->position);
}

/* Fills 'platform' with the vnetworks and returns a table id -> struct vnetwork. */
static GHashTable *read_vnetworks(const struct db *db, struct platform *platform)
{
    GHashTable *by_id = g_hash_table_new(NULL, NULL);
    const struct distemrec_vnetwork *row;
    DISTEMREC_VNETWORK_FOR_EACH (row, db->idl) {
        struct vnetwork *vnetwork = platform_add_vnetwork(platform, row->name);
        vnetwork->id = (uint32_t)row->id;
        vnetwork->ipv4 = read_prefix(row->ipv4);
        vnetwork->ipv6 = read_prefix(row->ipv6);
        (void)transport_parse(row->transport, &vnetwork->transport);
        vnetwork->vni = (uint32_t)row->vni;
        vnetwork->port = (uint16_t)row->port;
        vnetwork->underlay = (uint8_t)row->underlay;
        vnetwork->interface = text_or_null(row->interface);
        vnetwork->mtu_chosen = row->mtu_chosen;
        vnetwork->underlay_chosen = row->underlay_chosen;
        vnetwork->vlan = (uint16_t)row->vlan;
        vnetwork->mtu = (uint16_t)row->mtu;
        vnetwork->base_local = row->base_local;
        vnetwork->base_remote = row->base_remote;
        g_hash_table_insert(by_id, GUINT_TO_POINTER(vnetwork->id), vnetwork);
    }
    g_ptr_array_sort(platform->vnetworks, compare_vnetworks);
    return by_id;
}

/* Returns a table id -> routes, each read once and shared by its vnodes. */
static GHashTable *read_route_tables(const struct db *db)
{
    GHashTable *by_id = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
    const struct distemrec_route_table *row;
    DISTEMREC_ROUTE_TABLE_FOR_EACH(row, db->idl)
    {
        GArray *routes = routes_from_text(row->routes);
        if (routes) {
            g_hash_table_insert(by_id, GUINT_TO_POINTER((uint32_t)row->id), routes);
        }
    }
    return by_id;
}

static void read_vnode(const struct distemrec_vnode *row, GHashTable *route_tables, struct vnode *vnode)
{
    vnode->id = (uint32_t)row->id;
    vnode->pnode = text_or_null(row->pnode);
    vnode->pnode_chosen = row->pnode_chosen;
    vnode->where = text_or_null(row->where);
    vnode->labels = text_or_null(row->labels);
    vnode->group = (uint32_t)row->group;
    g_free(vnode->image);
    vnode->image = g_strdup(row->image);
    vnode->cores = (uint32_t)row->cores;
    vnode->frequency = (uint64_t)row->frequency;
    vnode->cpu_ratio = (uint32_t)row->cpu_ratio;
    vnode->memory = (uint64_t)row->memory;
    vnode->gateway = !row->n_gateway ? TRISTATE_AUTO : *row->gateway ? TRISTATE_YES : TRISTATE_NO;
    vnode->forwards = row->forwards;
    GArray *routes = g_hash_table_lookup(route_tables, GUINT_TO_POINTER((uint32_t)row->routes));
    vnode->routes = routes ? g_array_ref(routes) : NULL;
    vnode->error = text_or_null(row->error);
    vnode->pid = (int32_t)row->pid;
    (void)(row->state && vnode_state_parse(row->state, &vnode->state));
}

/* Fills 'platform' with the vnodes and returns a table id -> struct vnode. */
static GHashTable *read_vnodes(const struct db *db, struct platform *platform)
{
    g_autoptr(GHashTable) route_tables = read_route_tables(db);
    GHashTable *by_id = g_hash_table_new(NULL, NULL);
    const struct distemrec_vnode *row;
    DISTEMREC_VNODE_FOR_EACH (row, db->idl) {
        struct vnode *vnode = platform_add_vnode(platform, row->name);
        read_vnode(row, route_tables, vnode);
        g_hash_table_insert(by_id, GUINT_TO_POINTER(vnode->id), vnode);
    }
    g_ptr_array_sort(platform->vnodes, compare_vnodes);
    return by_id;
}

/* Adds the vifaces to their vnodes. One whose vnode or vnetwork is not there belongs to a change that has not arrived whole. */
static void read_vifaces(const struct db *db, GHashTable *vnetworks, GHashTable *vnodes)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    const struct distemrec_viface *row;
    DISTEMREC_VIFACE_FOR_EACH (row, db->idl) {
        g_ptr_array_add(rows, (void *)row);
    }
    g_ptr_array_sort(rows, compare_viface_rows);
    for (unsigned i = 0; i < rows->len; i++) {
        row = rows->pdata[i];
        struct vnode *vnode = g_hash_table_lookup(vnodes, GUINT_TO_POINTER((uint32_t)row->vnode));
        struct vnetwork *vnetwork = g_hash_table_lookup(vnetworks, GUINT_TO_POINTER((uint32_t)row->vnetwork));
        if (vnode && vnetwork) {
            struct viface *viface = vnode_add_viface(vnode, row->name, vnetwork);
            viface->id = (uint32_t)row->id;
            viface->ipv4 = read_ip(row->ipv4);
            viface->ipv6 = read_ip(row->ipv6);
            (void)(*row->mac && mac_parse(row->mac, &viface->mac, NULL));
            viface->input = impairment_from_text(row->input);
            viface->output = impairment_from_text(row->output);
            viface->input.compensation = row->input_compensation;
            viface->output.compensation = row->output_compensation;
        }
    }
}

static void read_vroutes(const struct db *db, GHashTable *vnetworks, GHashTable *vnodes, struct platform *platform)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    const struct distemrec_vroute *row;
    DISTEMREC_VROUTE_FOR_EACH(row, db->idl)
    {
        g_ptr_array_add(rows, (void *)row);
    }
    g_ptr_array_sort(rows, compare_vroute_rows);
    for (unsigned i = 0; i < rows->len; i++) {
        row = rows->pdata[i];
        struct vnetwork *from = g_hash_table_lookup(vnetworks, GUINT_TO_POINTER((uint32_t)row->from));
        struct vnode *via = g_hash_table_lookup(vnodes, GUINT_TO_POINTER((uint32_t)row->via));
        if (from && via) {
            struct vroute *vroute = platform_add_vroute(platform, from, via);
            vroute->to = g_hash_table_lookup(vnetworks, GUINT_TO_POINTER((uint32_t)row->to));
            vroute->prefix = read_prefix(row->prefix);
        }
    }
}

static void read_playbacks(const struct db *db, struct platform *platform)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    const struct distemrec_playback *row;
    DISTEMREC_PLAYBACK_FOR_EACH(row, db->idl)
    {
        g_ptr_array_add(rows, (void *)row);
    }
    g_ptr_array_sort(rows, compare_playback_rows);
    for (unsigned i = 0; i < rows->len; i++) {
        row = rows->pdata[i];
        platform_add_playback(platform, row->name, row->text);
    }
}

int64_t db_playback_start(const struct db *db)
{
    const struct distemrec_platform *root = db_root(db);
    return root ? root->playback_start : 0;
}

bool db_has_playbacks(const struct db *db)
{
    return distemrec_playback_first(db->idl);
}

/* Reads the latency matrix; NULL when there is none. */
static struct matrix *parse_matrix(const struct distemrec_platform *root)
{
    const struct smap *rows = &root->matrix;
    unsigned groups = (unsigned)smap_count(rows);
    if (!groups || groups > MATRIX_GROUPS_MOST) {
        return NULL;
    }
    struct matrix *matrix = matrix_new(groups);
    matrix->seed = (uint32_t)root->matrix_seed;
    const struct smap_node *node;
    SMAP_FOR_EACH (node, rows) {
        guint64 number = g_ascii_strtoull(node->key, NULL, 10);
        g_auto(GStrv) parts = g_strsplit(node->value, "\n", 3);
        if (number < groups && g_strv_length(parts) == 3 && !matrix->group[number].selector) {
            matrix->group[number].selector = g_strdup(parts[0]);
            matrix->group[number].addresses = g_strdup(parts[1]);
            matrix_read_row(matrix, (unsigned)number, parts[2]);
        }
    }
    for (unsigned i = 0; i < groups; i++) {
        matrix->group[i].selector = matrix->group[i].selector ? matrix->group[i].selector : g_strdup("");
    }
    return matrix;
}

bool db_has_matrix_read(const struct distemrec_platform *root, const struct matrix_read *last)
{
    return last->matrix && last->matrix->seed == root->matrix_seed && smap_equal(&last->rows, &root->matrix);
}

/* Returns a reference to the latency matrix: to that of the last time where it is the same. NULL: there is none. */
static struct matrix *read_matrix(const struct distemrec_platform *root, struct matrix_read *last)
{
    if (!db_has_matrix_read(root, last)) {
        matrix_unref(last->matrix);
        smap_destroy(&last->rows);
        smap_clone(&last->rows, &root->matrix);
        last->matrix = parse_matrix(root);
    }
    return matrix_ref(last->matrix);
}

struct platform *db_platform(const struct db *db)
{
    const struct distemrec_platform *root = db_root(db);
    if (!root || !root->name) {
        return NULL;
    }
    struct platform *platform = platform_new(root->name);
    (void)routing_parse(root->routing, &platform->routing);
    platform->generation = (uint64_t)root->generation;
    platform->next_id = (uint32_t)root->next_id;
    const struct smap_node *table;
    SMAP_FOR_EACH (table, &root->tables) { /* Before the vifaces that name them. */
        struct delay_table *read = delay_table_read(table->key, table->value, NULL);
        if (read) {
            g_ptr_array_add(platform->tables, read);
        }
    }
    platform->matrix = read_matrix(root, db->matrix);
    g_autoptr(GHashTable) vnetworks = read_vnetworks(db, platform);
    g_autoptr(GHashTable) vnodes = read_vnodes(db, platform);
    read_vifaces(db, vnetworks, vnodes);
    read_vroutes(db, vnetworks, vnodes, platform);
    read_playbacks(db, platform);
    return platform;
}

static gint compare_pnodes(gconstpointer a, gconstpointer b)
{
    return strcmp((*(struct pnode *const *)a)->name, (*(struct pnode *const *)b)->name);
}

/* Enters the map of a column, text -> number, into 'ret'. */
static void read_numbers(char *const *keys, const int64_t *values, size_t count, GHashTable *ret)
{
    for (size_t i = 0; i < count; i++) {
        g_hash_table_insert(ret, g_strdup(keys[i]), GUINT_TO_POINTER((guint)values[i]));
    }
}

static void read_pnode(const struct distemrec_pnode *row, struct pnode *pnode)
{
    pnode->identity = text_or_null(row->identity);
    pnode->cores = (uint32_t)row->cores;
    pnode->frequency = (uint64_t)row->frequency;
    pnode->memory = (uint64_t)row->memory;
    pnode->kernel = text_or_null(row->kernel);
    pnode->missing = text_or_null(row->missing);
    pnode->no_matrix = text_or_null(row->no_matrix);
    pnode->no_blackouts = text_or_null(row->no_blackouts);
    pnode->seeds = row->seeds;
    pnode->max_vnodes = (uint32_t)row->max_vnodes;
    pnode->max_vifaces = (uint32_t)row->max_vifaces;
    pnode->address = text_or_null(row->address);
    pnode->ipv4 = read_ip(row->ipv4);
    pnode->ipv6 = read_ip(row->ipv6);
    pnode->mtu = (uint16_t)row->mtu;
    read_numbers(row->key_interfaces, row->value_interfaces, row->n_interfaces, pnode->interfaces);
    const struct smap_node *label;
    SMAP_FOR_EACH (label, &row->labels) {
        g_hash_table_insert(pnode->labels, g_strdup(label->key), g_strdup(label->value));
    }
    pnode->draining = row->draining;
}

static void read_pnode_state(const struct distemrec_pnode_state *row, struct pnode *pnode)
{
    pnode->heartbeat = (uint64_t)row->heartbeat;
    pnode->leaving = (uint32_t)row->leaving;
    pnode->generation = (uint64_t)row->generation;
    pnode->error = text_or_null(row->error);
    pnode->transactions = (uint64_t)row->transactions;
    pnode->rules = (uint64_t)row->rules;
    read_numbers(row->key_doubts, row->value_doubts, row->n_doubts, pnode->doubts);
}

GPtrArray *db_pnodes(const struct db *db)
{
    GPtrArray *pnodes = g_ptr_array_new_with_free_func((GDestroyNotify)pnode_free);
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    const struct distemrec_pnode *row;
    DISTEMREC_PNODE_FOR_EACH (row, db->idl) {
        struct pnode *pnode = pnode_new(row->name);
        read_pnode(row, pnode);
        g_ptr_array_add(pnodes, pnode);
        g_hash_table_insert(by_name, pnode->name, pnode);
    }
    const struct distemrec_pnode_state *state;
    DISTEMREC_PNODE_STATE_FOR_EACH(state, db->idl)
    {
        struct pnode *pnode = g_hash_table_lookup(by_name, state->pnode);
        if (pnode) {
            read_pnode_state(state, pnode);
        }
    }
    g_ptr_array_sort(pnodes, compare_pnodes);
    return pnodes;
}

GHashTable *db_own_vnetworks(const struct db *db, const char *pnode)
{
    GHashTable *ids = g_hash_table_new(NULL, NULL);
    const struct distemrec_viface *row;
    DISTEMREC_VIFACE_FOR_EACH (row, db->idl) {
        if (!strcmp(row->pnode, pnode)) {
            g_hash_table_add(ids, GUINT_TO_POINTER((uint32_t)row->vnetwork));
        }
    }
    return ids;
}

static gint compare_remote_vifaces(gconstpointer a, gconstpointer b)
{
    const struct remote_viface *x = a;
    const struct remote_viface *y = b;
    return x->vnetwork_id != y->vnetwork_id ? (x->vnetwork_id > y->vnetwork_id) - (x->vnetwork_id < y->vnetwork_id)
                                            : (x->id > y->id) - (x->id < y->id);
}

GArray *db_remote_vifaces(const struct db *db, const char *pnode)
{
    GArray *vifaces = g_array_new(FALSE, TRUE, sizeof(struct remote_viface));
    g_autoptr(GHashTable) vnetworks = db_own_vnetworks(db, pnode);
    const struct distemrec_viface *row;
    DISTEMREC_VIFACE_FOR_EACH (row, db->idl) {
        if (strcmp(row->pnode, pnode) != 0 && g_hash_table_contains(vnetworks, GUINT_TO_POINTER((uint32_t)row->vnetwork))) {
            struct remote_viface viface = {.id = (uint32_t)row->id,
                                           .vnetwork_id = (uint32_t)row->vnetwork,
                                           .ipv4 = read_ip(row->ipv4),
                                           .ipv6 = read_ip(row->ipv6),
                                           .pnode = g_intern_string(row->pnode)};
            (void)(*row->mac && mac_parse(row->mac, &viface.mac, NULL));
            g_array_append_val(vifaces, viface);
        }
    }
    g_array_sort(vifaces, compare_remote_vifaces);
    return vifaces;
}
