/* SPDX-License-Identifier: Apache-2.0 */
/* Structs -> rows: rows are found by their ids and set column by column; the IDL leaves out what is as it was (write_changed_only).
 */
#include <config.h>

#include <string.h>

#include "db-impl.h"
#include "db-text.h"
#include "distem/delay-table.h"

/* What is being written. The rows that are there lie in tables by id; what is wanted is taken out, what is left is deleted. */
struct writer {
    const struct db *db;
    struct ovsdb_idl_txn *txn;
    GHashTable *route_rows;    /* Existing rows by route_key(). */
    GHashTable *route_ids;     /* Wanted route tables: route_key() -> id. */
    GHashTable *route_texts;   /* GArray of a vnode -> its text, so that shared routes are written out once. */
    uint32_t next_route_table; /* An id that no row has, nor a higher one. */
};

/* Takes the row with 'id' out of 'rows'; NULL when there is none. */
static void *take_row(GHashTable *rows, uint32_t id)
{
    void *row = g_hash_table_lookup(rows, GUINT_TO_POINTER(id));
    g_hash_table_remove(rows, GUINT_TO_POINTER(id));
    return row;
}

/* Deletes what is left in 'rows', which is freed. */
static void delete_rows(GHashTable *rows)
{
    GHashTableIter iter;
    void *row;
    g_hash_table_iter_init(&iter, rows);
    while (g_hash_table_iter_next(&iter, NULL, &row)) {
        ovsdb_idl_txn_delete(row);
    }
    g_hash_table_unref(rows);
}

/* Writes the jitter tables that the vifaces name. */
static void write_tables(const struct distemrec_platform *root, const struct platform *next)
{
    g_autoptr(GPtrArray) tables = next ? delay_tables_of(next) : g_ptr_array_new();
    struct smap texts = SMAP_INITIALIZER(&texts);
    for (unsigned i = 0; i < tables->len; i++) {
        const struct delay_table *table = tables->pdata[i];
        g_autofree char *text = delay_table_text(table);
        smap_add(&texts, table->name, text);
    }
    distemrec_platform_set_tables(root, &texts);
    smap_destroy(&texts);
}

/* Appends an address of 'viface' to those of a group, unless there is none. */
static void add_address(GString *text, const struct viface *viface, const struct ip_addr *address, const char *separator)
{
    char formatted[IP_TEXT_SIZE];
    if (!address->family) {
        return;
    }
    g_string_append_printf(text, "%s%s", text->len ? separator : "", ip_format(address, formatted));
    if (viface->vnetwork->base_remote) {
        g_string_append_printf(text, "/%" PRIu32 "/%" PRId64, viface->vnetwork->id, viface->output.compensation);
    }
}

/* Returns the addresses of each group, from 1: commas between those of a vnode, blanks between vnodes. The caller frees it with its
 * strings. */
static GPtrArray *group_addresses(const struct platform *platform)
{
    GPtrArray *groups = g_ptr_array_new();
    for (unsigned i = 0; i <= platform->matrix->groups; i++) {
        g_ptr_array_add(groups, g_string_new(NULL));
    }
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        GString *text = groups->pdata[vnode->group];
        for (unsigned j = 0; vnode->group && j < vnode->vifaces->len; j++) {
            const struct viface *viface = vnode_viface(vnode, j);
            add_address(text, viface, &viface->ipv4, j ? "," : " ");
            add_address(text, viface, &viface->ipv6, j || viface->ipv4.family ? "," : " ");
        }
    }
    return groups;
}

/* Says whether the vnodes of all groups have the addresses that the matrix was read with. */
static bool addresses_equal(const struct matrix *matrix, const GPtrArray *addresses)
{
    bool equal = true;
    for (unsigned i = 0; equal && i < matrix->groups; i++) {
        const GString *of_group = addresses->pdata[i + 1];
        equal = !g_strcmp0(matrix->group[i].addresses, of_group->str);
    }
    return equal;
}

/* Sets the latency matrix: for each group, by its number, what it means, its addresses and its row, each in a line. */
static void set_matrix(const struct distemrec_platform *root, const struct matrix *matrix, const GPtrArray *addresses)
{
    struct smap rows = SMAP_INITIALIZER(&rows);
    for (unsigned i = 0; matrix && i < matrix->groups; i++) {
        const GString *of_group = addresses->pdata[i + 1];
        g_autofree char *row = matrix_row_text(matrix, i);
        smap_add_nocopy(&rows, xasprintf("%u", i), xasprintf("%s\n%s\n%s", matrix->group[i].selector, of_group->str, row));
    }
    distemrec_platform_set_matrix(root, &rows);
    distemrec_platform_set_matrix_seed(root, matrix ? matrix->seed : 0);
    smap_destroy(&rows);
}

/* Writes the latency matrix, unless 'next' has the one that is there, and its addresses are the same. */
static void write_matrix(const struct writer *w, const struct distemrec_platform *root, const struct platform *next)
{
    const struct matrix *matrix = next ? next->matrix : NULL;
    g_autoptr(GPtrArray) addresses = matrix ? group_addresses(next) : g_ptr_array_new();
    bool there = matrix && matrix == w->db->matrix->matrix && db_has_matrix_read(root, w->db->matrix);
    if (!there || !addresses_equal(matrix, addresses)) {
        set_matrix(root, matrix, addresses);
    }
    for (unsigned i = 0; i < addresses->len; i++) {
        g_string_free(addresses->pdata[i], TRUE);
    }
}

/* Writes the root row. Fails when somebody else has changed it. */
static bool write_root(const struct writer *w, const struct request *request, GError **error)
{
    const struct distemrec_platform *root = db_root(w->db);
    uint64_t generation = db_generation(w->db);
    if (generation != request->generation) {
        return fail(error, DISTEM_ERROR_CONFLICT, 0,
                    "the platform was changed by somebody else: its generation is %" G_GUINT64_FORMAT ", not %" G_GUINT64_FORMAT
                    "; look at it and try again",
                    generation, request->generation);
    }
    if (root) {
        distemrec_platform_verify_generation(root);
    } else {
        root = distemrec_platform_insert(w->txn);
    }
    const struct platform *next = request->platform;
    distemrec_platform_set_name(root, next ? next->name : NULL);
    distemrec_platform_set_routing(root, next ? routing_name(next->routing) : "");
    distemrec_platform_set_generation(root, (int64_t)request->generation + 1);
    distemrec_platform_set_next_id(root, next ? next->next_id : 0);
    distemrec_platform_set_change(root, request->change);
    write_tables(root, next);
    write_matrix(w, root, next);
    return true;
}

/* Traces are known by their places, which vifaces name. When one changes, all begin anew; one more joins them. */
static void write_playbacks(const struct writer *w, const struct platform *next)
{
    GHashTable *rows = g_hash_table_new(NULL, NULL);
    const struct distemrec_playback *row;
    DISTEMREC_PLAYBACK_FOR_EACH(row, w->db->idl)
    {
        g_hash_table_insert(rows, GUINT_TO_POINTER((uint32_t)row->position), (void *)row);
    }
    bool changed = next && next->playbacks->len && !g_hash_table_size(rows);
    for (unsigned i = 0; next && i < next->playbacks->len; i++) {
        const struct playback_text *playback = platform_playback(next, i);
        row = take_row(rows, i);
        changed |= row && strcmp(row->text, playback->text) != 0;
        row = row ? row : distemrec_playback_insert(w->txn);
        distemrec_playback_set_position(row, i);
        distemrec_playback_set_name(row, playback->name);
        distemrec_playback_set_text(row, playback->text);
    }
    const struct distemrec_platform *root = db_root(w->db);
    if (root && (changed || g_hash_table_size(rows))) {
        distemrec_platform_set_playback_start(root, 0);
    }
    delete_rows(rows);
}

static void write_vnetworks(const struct writer *w, const struct platform *next)
{
    GHashTable *rows = g_hash_table_new(NULL, NULL);
    const struct distemrec_vnetwork *row;
    DISTEMREC_VNETWORK_FOR_EACH (row, w->db->idl) {
        g_hash_table_insert(rows, GUINT_TO_POINTER((uint32_t)row->id), (void *)row);
    }
    for (unsigned i = 0; next && i < next->vnetworks->len; i++) {
        const struct vnetwork *vnetwork = platform_vnetwork(next, i);
        char prefix[PREFIX_TEXT_SIZE];
        row = take_row(rows, vnetwork->id);
        row = row ? row : distemrec_vnetwork_insert(w->txn);
        distemrec_vnetwork_set_id(row, vnetwork->id);
        distemrec_vnetwork_set_name(row, vnetwork->name);
        distemrec_vnetwork_set_ipv4(row, prefix_format(&vnetwork->ipv4, prefix));
        distemrec_vnetwork_set_ipv6(row, prefix_format(&vnetwork->ipv6, prefix));
        distemrec_vnetwork_set_transport(row, transport_name(vnetwork->transport));
        distemrec_vnetwork_set_vni(row, vnetwork->vni);
        distemrec_vnetwork_set_port(row, vnetwork->port);
        distemrec_vnetwork_set_underlay(row, vnetwork->underlay);
        distemrec_vnetwork_set_interface(row, vnetwork->interface ? vnetwork->interface : "");
        distemrec_vnetwork_set_mtu_chosen(row, vnetwork->mtu_chosen);
        distemrec_vnetwork_set_underlay_chosen(row, vnetwork->underlay_chosen);
        distemrec_vnetwork_set_vlan(row, vnetwork->vlan);
        distemrec_vnetwork_set_mtu(row, vnetwork->mtu);
        distemrec_vnetwork_set_base_local(row, vnetwork->base_local);
        distemrec_vnetwork_set_base_remote(row, vnetwork->base_remote);
    }
    delete_rows(rows);
}

/* Returns what names a route table: its pnode and its text. Pnodes do not share them, so that each can monitor its own. */
static char *route_key(const char *pnode, const char *text)
{
    return g_strdup_printf("%s %s", pnode, text);
}

/* Collects the route tables that are there. */
static void begin_route_tables(struct writer *w)
{
    w->route_rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    w->route_ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    w->route_texts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    w->next_route_table = 1;
    const struct distemrec_route_table *row;
    DISTEMREC_ROUTE_TABLE_FOR_EACH(row, w->db->idl)
    {
        g_hash_table_insert(w->route_rows, route_key(row->pnode, row->routes), (void *)row);
        w->next_route_table = MAX(w->next_route_table, (uint32_t)row->id + 1);
    }
}

/* Returns the id of the table of 'routes' on 'pnode', which it makes if needed; 0 for no routes. */
static uint32_t write_route_table(struct writer *w, const char *pnode, GArray *routes)
{
    if (!routes || !routes->len) {
        return 0;
    }
    const char *text = g_hash_table_lookup(w->route_texts, routes);
    if (!text) {
        char *new_text = routes_to_text(routes);
        g_hash_table_insert(w->route_texts, routes, new_text);
        text = new_text;
    }
    g_autofree char *key = route_key(pnode, text);
    uint32_t id = GPOINTER_TO_UINT(g_hash_table_lookup(w->route_ids, key));
    if (id) {
        return id;
    }
    const struct distemrec_route_table *row = g_hash_table_lookup(w->route_rows, key);
    if (row) {
        g_hash_table_remove(w->route_rows, key);
    } else {
        row = distemrec_route_table_insert(w->txn);
        distemrec_route_table_set_id(row, w->next_route_table++);
        distemrec_route_table_set_pnode(row, pnode);
        distemrec_route_table_set_routes(row, text);
    }
    id = (uint32_t)row->id;
    g_hash_table_insert(w->route_ids, g_steal_pointer(&key), GUINT_TO_POINTER(id));
    return id;
}

/* Deletes the route tables that nobody uses any more. */
static void end_route_tables(struct writer *w)
{
    delete_rows(w->route_rows);
    g_hash_table_unref(w->route_ids);
    g_hash_table_unref(w->route_texts);
}

static void write_vnode(struct writer *w, const struct vnode *vnode, const struct distemrec_vnode *row)
{
    const char *pnode = vnode->pnode ? vnode->pnode : "";
    if (row && strcmp(row->pnode, pnode) != 0) {
        /* What its former pnode observed is no longer true. */
        distemrec_vnode_set_state(row, NULL);
        distemrec_vnode_set_error(row, "");
        distemrec_vnode_set_pid(row, 0);
    }
    row = row ? row : distemrec_vnode_insert(w->txn);
    distemrec_vnode_set_id(row, vnode->id);
    distemrec_vnode_set_name(row, vnode->name);
    distemrec_vnode_set_pnode(row, pnode);
    distemrec_vnode_set_pnode_chosen(row, vnode->pnode_chosen);
    distemrec_vnode_set_where(row, vnode->where ? vnode->where : "");
    distemrec_vnode_set_labels(row, vnode->labels ? vnode->labels : "");
    distemrec_vnode_set_group(row, vnode->group);
    distemrec_vnode_set_image(row, vnode->image);
    distemrec_vnode_set_cores(row, vnode->cores);
    distemrec_vnode_set_frequency(row, (int64_t)vnode->frequency);
    distemrec_vnode_set_cpu_ratio(row, vnode->cpu_ratio);
    distemrec_vnode_set_memory(row, (int64_t)vnode->memory);
    bool gateway = vnode->gateway == TRISTATE_YES;
    distemrec_vnode_set_gateway(row, &gateway, vnode->gateway != TRISTATE_AUTO);
    distemrec_vnode_set_forwards(row, vnode->forwards);
    distemrec_vnode_set_routes(row, write_route_table(w, pnode, vnode->routes));
}

static void write_vnodes(struct writer *w, const struct platform *next)
{
    GHashTable *rows = g_hash_table_new(NULL, NULL);
    const struct distemrec_vnode *row;
    DISTEMREC_VNODE_FOR_EACH (row, w->db->idl) {
        g_hash_table_insert(rows, GUINT_TO_POINTER((uint32_t)row->id), (void *)row);
    }
    begin_route_tables(w);
    for (unsigned i = 0; next && i < next->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(next, i);
        write_vnode(w, vnode, take_row(rows, vnode->id));
    }
    end_route_tables(w);
    delete_rows(rows);
}

static void write_viface(const struct writer *w, const struct vnode *vnode, unsigned position, const struct distemrec_viface *row)
{
    const struct viface *viface = vnode_viface(vnode, position);
    char ip[IP_TEXT_SIZE];
    char mac[MAC_TEXT_SIZE];
    g_autofree char *input = impairment_to_text(&viface->input);
    g_autofree char *output = impairment_to_text(&viface->output);
    row = row ? row : distemrec_viface_insert(w->txn);
    distemrec_viface_set_id(row, viface->id);
    distemrec_viface_set_vnode(row, vnode->id);
    distemrec_viface_set_position(row, position);
    distemrec_viface_set_pnode(row, vnode->pnode ? vnode->pnode : "");
    distemrec_viface_set_vnetwork(row, viface->vnetwork->id);
    distemrec_viface_set_name(row, viface->name);
    distemrec_viface_set_ipv4(row, ip_format(&viface->ipv4, ip));
    distemrec_viface_set_ipv6(row, ip_format(&viface->ipv6, ip));
    distemrec_viface_set_mac(row, mac_is_zero(&viface->mac) ? "" : mac_format(&viface->mac, mac));
    distemrec_viface_set_input(row, input);
    distemrec_viface_set_output(row, output);
    distemrec_viface_set_input_compensation(row, viface->input.compensation);
    distemrec_viface_set_output_compensation(row, viface->output.compensation);
}

static void write_vifaces(const struct writer *w, const struct platform *next)
{
    GHashTable *rows = g_hash_table_new(NULL, NULL);
    const struct distemrec_viface *row;
    DISTEMREC_VIFACE_FOR_EACH (row, w->db->idl) {
        g_hash_table_insert(rows, GUINT_TO_POINTER((uint32_t)row->id), (void *)row);
    }
    for (unsigned i = 0; next && i < next->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(next, i);
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            write_viface(w, vnode, j, take_row(rows, vnode_viface(vnode, j)->id));
        }
    }
    delete_rows(rows);
}

/* Vroutes have no ids: their places in the platform find them. */
static void write_vroutes(const struct writer *w, const struct platform *next)
{
    GHashTable *rows = g_hash_table_new(NULL, NULL);
    const struct distemrec_vroute *row;
    DISTEMREC_VROUTE_FOR_EACH(row, w->db->idl)
    {
        g_hash_table_insert(rows, GUINT_TO_POINTER((uint32_t)row->position), (void *)row);
    }
    for (unsigned i = 0; next && i < next->vroutes->len; i++) {
        const struct vroute *vroute = platform_vroute(next, i);
        char prefix[PREFIX_TEXT_SIZE];
        row = take_row(rows, i);
        row = row ? row : distemrec_vroute_insert(w->txn);
        distemrec_vroute_set_position(row, i);
        distemrec_vroute_set_from(row, vroute->from->id);
        distemrec_vroute_set_to(row, vroute->to ? vroute->to->id : 0);
        distemrec_vroute_set_prefix(row, prefix_format(&vroute->prefix, prefix));
        distemrec_vroute_set_via(row, vroute->via->id);
    }
    delete_rows(rows);
}

bool db_write_platform(struct db *db, struct ovsdb_idl_txn *txn, const struct request *request, GError **error)
{
    const struct distemrec_platform *root = db_root(db);
    if (root && !strcmp(root->change, request->change)) {
        return true; /* Committed already: only the answer was lost. */
    }
    struct writer writer = {.db = db, .txn = txn};
    if (!write_root(&writer, request, error)) {
        return false;
    }
    write_vnetworks(&writer, request->platform);
    write_vnodes(&writer, request->platform);
    write_vifaces(&writer, request->platform);
    write_vroutes(&writer, request->platform);
    write_playbacks(&writer, request->platform);
    return true;
}

bool db_write_playback_start(struct db *db, struct ovsdb_idl_txn *txn G_GNUC_UNUSED, const struct request *request, GError **error)
{
    const struct distemrec_platform *root = db_root(db);
    if (!root || db_generation(db) != request->generation) {
        return fail(error, DISTEM_ERROR_CONFLICT, 0, "the platform was changed before its traces were started");
    }
    distemrec_platform_verify_generation(root);
    distemrec_platform_set_playback_start(root, request->start);
    return true;
}

/* Returns the row of the pnode with 'name', or NULL. */
static const struct distemrec_pnode *find_pnode(const struct db *db, const char *name)
{
    const struct distemrec_pnode *row;
    DISTEMREC_PNODE_FOR_EACH (row, db->idl) {
        if (!strcmp(row->name, name)) {
            return row;
        }
    }
    return NULL;
}

/* Returns the row with how far the pnode with 'name' is, or NULL. */
static const struct distemrec_pnode_state *find_pnode_state(const struct db *db, const char *name)
{
    const struct distemrec_pnode_state *row;
    DISTEMREC_PNODE_STATE_FOR_EACH(row, db->idl)
    {
        if (!strcmp(row->pnode, name)) {
            return row;
        }
    }
    return NULL;
}

/* Returns the texts of 'map', text -> number, as an array of its size that the caller frees; '*ret_numbers', too, are the numbers.
 */
static const char **texts_and_numbers(GHashTable *map, int64_t **ret_numbers)
{
    guint count;
    const char **texts = (const char **)g_hash_table_get_keys_as_array(map, &count);
    *ret_numbers = g_new(int64_t, count);
    for (unsigned i = 0; i < count; i++) {
        (*ret_numbers)[i] = GPOINTER_TO_UINT(g_hash_table_lookup(map, texts[i]));
    }
    return texts;
}

static void write_pnode_state(const struct pnode *pnode, const struct distemrec_pnode_state *row)
{
    g_autofree int64_t *heartbeats = NULL;
    g_autofree const char **doubts = texts_and_numbers(pnode->doubts, &heartbeats);
    distemrec_pnode_state_set_doubts(row, doubts, heartbeats, g_hash_table_size(pnode->doubts));
    distemrec_pnode_state_set_pnode(row, pnode->name);
    distemrec_pnode_state_set_heartbeat(row, (int64_t)pnode->heartbeat);
    distemrec_pnode_state_set_leaving(row, pnode->leaving);
    distemrec_pnode_state_set_generation(row, (int64_t)pnode->generation);
    distemrec_pnode_state_set_error(row, pnode->error ? pnode->error : "");
    distemrec_pnode_state_set_transactions(row, (int64_t)pnode->transactions);
    distemrec_pnode_state_set_rules(row, (int64_t)pnode->rules);
}

static void write_interfaces(const struct pnode *pnode, const struct distemrec_pnode *row)
{
    g_autofree int64_t *mtus = NULL;
    g_autofree const char **names = texts_and_numbers(pnode->interfaces, &mtus);
    distemrec_pnode_set_interfaces(row, names, mtus, g_hash_table_size(pnode->interfaces));
}

static void write_labels(const struct pnode *pnode, const struct distemrec_pnode *row)
{
    struct smap labels = SMAP_INITIALIZER(&labels);
    GHashTableIter iter;
    gpointer name, text;
    g_hash_table_iter_init(&iter, pnode->labels);
    while (g_hash_table_iter_next(&iter, &name, &text)) {
        smap_add(&labels, name, text);
    }
    distemrec_pnode_set_labels(row, &labels);
    smap_destroy(&labels);
}

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

bool db_write_pnode(struct db *db, struct ovsdb_idl_txn *txn, const struct request *request, GError **error)
{
    const struct pnode *pnode = request->pnode;
    const struct distemrec_pnode *row = find_pnode(db, pnode->name);
    if (row && strcmp(row->identity, text_or_empty(pnode->identity)) != 0) {
        return fail(error, DISTEM_ERROR_CONFLICT, 0,
                    "another machine is pnode %s already: give this one another name with --name, or remove that one with `distem "
                    "pnode remove --force %s`",
                    pnode->name, pnode->name);
    }
    char ip[IP_TEXT_SIZE];
    row = row ? row : distemrec_pnode_insert(txn);
    distemrec_pnode_set_name(row, pnode->name);
    distemrec_pnode_set_identity(row, text_or_empty(pnode->identity));
    distemrec_pnode_set_cores(row, pnode->cores);
    distemrec_pnode_set_frequency(row, (int64_t)pnode->frequency);
    distemrec_pnode_set_memory(row, (int64_t)pnode->memory);
    distemrec_pnode_set_kernel(row, text_or_empty(pnode->kernel));
    distemrec_pnode_set_missing(row, text_or_empty(pnode->missing));
    distemrec_pnode_set_no_matrix(row, text_or_empty(pnode->no_matrix));
    distemrec_pnode_set_no_blackouts(row, text_or_empty(pnode->no_blackouts));
    distemrec_pnode_set_seeds(row, pnode->seeds);
    distemrec_pnode_set_max_vnodes(row, pnode->max_vnodes);
    distemrec_pnode_set_max_vifaces(row, pnode->max_vifaces);
    distemrec_pnode_set_address(row, text_or_empty(pnode->address));
    distemrec_pnode_set_ipv4(row, ip_format(&pnode->ipv4, ip));
    distemrec_pnode_set_ipv6(row, ip_format(&pnode->ipv6, ip));
    distemrec_pnode_set_mtu(row, pnode->mtu);
    write_interfaces(pnode, row);
    write_labels(pnode, row);
    const struct distemrec_pnode_state *state = find_pnode_state(db, pnode->name);
    write_pnode_state(pnode, state ? state : distemrec_pnode_state_insert(txn));
    return true;
}

bool db_write_pnode_state(struct db *db, struct ovsdb_idl_txn *txn G_GNUC_UNUSED, const struct request *request, GError **error)
{
    const struct pnode *pnode = request->pnode;
    const struct distemrec_pnode *row = find_pnode(db, pnode->name);
    const struct distemrec_pnode_state *state = find_pnode_state(db, pnode->name);
    if (!row || !state || strcmp(row->identity, text_or_empty(pnode->identity)) != 0) {
        return fail(error, DISTEM_ERROR_NOT_FOUND, 0, "pnode %s has been removed", pnode->name);
    }
    write_pnode_state(pnode, state);
    return true;
}

bool db_write_draining(struct db *db, struct ovsdb_idl_txn *txn G_GNUC_UNUSED, const struct request *request, GError **error)
{
    const struct distemrec_pnode *row = find_pnode(db, request->name);
    if (!row) {
        return fail(error, DISTEM_ERROR_NOT_FOUND, 0, "there is no pnode %s", request->name);
    }
    distemrec_pnode_set_draining(row, request->draining);
    return true;
}

bool db_write_remove_pnode(struct db *db, struct ovsdb_idl_txn *txn G_GNUC_UNUSED, const struct request *request,
                           GError **error G_GNUC_UNUSED)
{
    const struct distemrec_pnode *row = find_pnode(db, request->name);
    const struct distemrec_pnode_state *state = find_pnode_state(db, request->name);
    if (row) {
        distemrec_pnode_delete(row);
    }
    if (state) {
        distemrec_pnode_state_delete(state);
    }
    return true;
}

bool db_write_reports(struct db *db, struct ovsdb_idl_txn *txn G_GNUC_UNUSED, const struct request *request,
                      GError **error G_GNUC_UNUSED)
{
    struct distemrec_vnode *key = distemrec_vnode_index_init_row(db->vnodes_by_id);
    for (unsigned i = 0; i < request->reports->len; i++) {
        const struct report *report = &g_array_index(request->reports, struct report, i);
        distemrec_vnode_index_set_id(key, report->id);
        const struct distemrec_vnode *row = distemrec_vnode_index_find(db->vnodes_by_id, key);
        if (row) {
            distemrec_vnode_set_state(row, report->state == VNODE_STATE_UNKNOWN ? NULL : vnode_state_name(report->state));
            distemrec_vnode_set_error(row, report->error ? report->error : "");
            distemrec_vnode_set_pid(row, report->pid);
        }
    }
    distemrec_vnode_index_destroy_row(key);
    return true;
}
