/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the switch's database: what is there against what is wanted. */
#include <config.h>

#include <net/if.h>
#include <string.h>

#include "vswitch-impl.h"

struct ovsdb_idl *rows_idl_new(void)
{
    static const struct ovsdb_idl_column *const columns[] = {
        &ovsrec_open_vswitch_col_bridges,
        &ovsrec_open_vswitch_col_cur_cfg,
        &ovsrec_open_vswitch_col_next_cfg,
        &ovsrec_bridge_col_name,
        &ovsrec_bridge_col_ports,
        &ovsrec_bridge_col_fail_mode,
        &ovsrec_bridge_col_datapath_type,
        &ovsrec_bridge_col_other_config,
        &ovsrec_bridge_col_external_ids,
        &ovsrec_port_col_name,
        &ovsrec_port_col_interfaces,
        &ovsrec_port_col_external_ids,
        &ovsrec_interface_col_name,
        &ovsrec_interface_col_ofport,
        &ovsrec_interface_col_error,
        &ovsrec_interface_col_ifindex,
        &ovsrec_interface_col_type,
        &ovsrec_interface_col_options,
        &ovsrec_port_col_qos,
        &ovsrec_qos_col_type,
        &ovsrec_qos_col_external_ids,
    };
    struct ovsdb_idl *idl = ovsdb_idl_create_unconnected(&ovsrec_idl_class, false);
    ovsdb_idl_add_table(idl, &ovsrec_table_open_vswitch);
    ovsdb_idl_add_table(idl, &ovsrec_table_bridge);
    ovsdb_idl_add_table(idl, &ovsrec_table_port);
    ovsdb_idl_add_table(idl, &ovsrec_table_interface);
    ovsdb_idl_add_table(idl, &ovsrec_table_qos);
    for (unsigned i = 0; i < G_N_ELEMENTS(columns); i++) {
        ovsdb_idl_add_column(idl, columns[i]);
    }
    return idl;
}

bool rows_owned(const struct smap *external_ids, const char *owner)
{
    const char *mark = smap_get(external_ids, MARK_OWNER);
    return mark && (!owner || !strcmp(mark, owner));
}

/* A comparison under way. */
struct comparison {
    struct vswitch *vs;
    struct ovsdb_idl_txn *txn;
    const struct ovsrec_open_vswitch *root;
    const struct ovsrec_qos *qos; /* See find_qos(). */
    GHashTable *port_rows;        /* Name -> row: all ports of all bridges. */
    unsigned n_changes;
};

/* Notes what keeps a port or bridge from being made; the first is told. */
static void G_GNUC_PRINTF(2, 3) note_error(char **error, const char *format, ...)
{
    if (!*error) {
        va_list args;
        va_start(args, format);
        *error = g_strdup_vprintf(format, args);
        va_end(args);
    }
}

/* Returns the key of the mark that says what a port is for. */
static const char *port_mark(const struct row_port *port)
{
    return port->kind == PORT_VIFACE ? MARK_VIFACE : MARK_UPLINK;
}

/* Returns the mark of a bridge with its key; to be freed. */
static char *bridge_mark(const struct bridge *bridge, const char **ret_key)
{
    *ret_key = bridge->vnetwork_id ? MARK_VNETWORK : MARK_UPLINK;
    return bridge->vnetwork_id ? g_strdup_printf("%" G_GUINT32_FORMAT, bridge->vnetwork_id) : g_strdup(bridge->interface);
}

/* Ports whose device has qdiscs that are none of the switch's business. */
static const struct ovsrec_qos *port_qos(const struct comparison *c, const struct row_port *port)
{
    return port->kind == PORT_VIFACE || port->kind == PORT_PHYSICAL ? c->qos : NULL;
}

/* Returns the type of a port's interface, and fills 'options'. */
static const char *port_options(const struct row_port *port, struct smap *options)
{
    char local[IP_TEXT_SIZE];
    switch (port->kind) {
    case PORT_TUNNEL:
        smap_add(options, "remote_ip", "flow");
        smap_add(options, "local_ip", ip_format(&port->local, local));
        smap_add_format(options, "key", "%" G_GUINT32_FORMAT, port->vni);
        smap_add_format(options, "dst_port", "%u", port->udp_port);
        return "vxlan";
    case PORT_PATCH:
        smap_add(options, "peer", port->peer);
        return "patch";
    case PORT_VIFACE:
    case PORT_PHYSICAL:
        break;
    }
    return "";
}

void rows_delete_qos(struct ovsdb_idl *idl, const struct ovsrec_qos *qos)
{
    /* The database minds references also from rows that the same transaction leaves to its garbage collection. */
    const struct ovsrec_port *port;
    OVSREC_PORT_FOR_EACH (port, idl) {
        if (port->qos == qos) {
            ovsrec_port_set_qos(port, NULL);
        }
    }
    ovsrec_qos_delete(qos);
}

/* Finds our QoS row, or makes it when there are ports to have it and deletes it when there are none. The type linux-noop keeps the
 * switch's hands off a port's qdiscs: without it, ovs-vswitchd deletes the root qdisc of every port that it opens. */
static void find_qos(struct comparison *c)
{
    bool needed = g_hash_table_size(c->vs->bridges);
    const struct ovsrec_qos *row, *next;
    OVSREC_QOS_FOR_EACH_SAFE(row, next, c->vs->idl)
    {
        if (!rows_owned(&row->external_ids, c->vs->owner)) {
            continue;
        }
        if (needed && !c->qos && !strcmp(row->type, QOS_TYPE)) {
            c->qos = row;
        } else {
            rows_delete_qos(c->vs->idl, row);
            c->n_changes++;
        }
    }
    if (needed && !c->qos) {
        struct ovsrec_qos *qos = ovsrec_qos_insert(c->txn);
        ovsrec_qos_set_type(qos, QOS_TYPE);
        struct smap ids = SMAP_INITIALIZER(&ids);
        smap_add(&ids, MARK_OWNER, c->vs->owner);
        ovsrec_qos_set_external_ids(qos, &ids);
        smap_destroy(&ids);
        c->qos = qos;
        c->n_changes++;
    }
}

/* Makes a port with its interface. */
static struct ovsrec_port *insert_port(struct comparison *c, const struct row_port *want)
{
    struct ovsrec_interface *interface = ovsrec_interface_insert(c->txn);
    ovsrec_interface_set_name(interface, want->name);
    struct smap map = SMAP_INITIALIZER(&map);
    ovsrec_interface_set_type(interface, port_options(want, &map));
    ovsrec_interface_set_options(interface, &map);
    smap_clear(&map);
    struct ovsrec_port *port = ovsrec_port_insert(c->txn);
    ovsrec_port_set_name(port, want->name);
    ovsrec_port_set_interfaces(port, &interface, 1);
    ovsrec_port_set_qos(port, port_qos(c, want));
    smap_add(&map, MARK_OWNER, c->vs->owner);
    smap_add_format(&map, port_mark(want), "%" G_GUINT32_FORMAT, want->id);
    if (want->kind == PORT_VIFACE) {
        smap_add_format(&map, MARK_IFINDEX, "%u", if_nametoindex(want->name));
    }
    ovsrec_port_set_external_ids(port, &map);
    smap_destroy(&map);
    c->n_changes++;
    return port;
}

/* Says whether the device of our port is another one than when the port was made. The switch goes on reading from the one that is
 * gone, then (its own datapath does). */
static bool device_was_replaced(const struct ovsrec_port *row)
{
    int mark = smap_get_int(&row->external_ids, MARK_IFINDEX, 0);
    const struct ovsrec_interface *interface = row->n_interfaces ? row->interfaces[0] : NULL;
    return mark && interface && interface->n_ifindex && *interface->ifindex && *interface->ifindex != mark;
}

/* Returns the row to add to 'bridge' for 'want': a new one, or ours that lies on another bridge; NULL when a stranger has it,
 * or it must be taken away first. */
static const struct ovsrec_port *port_to_add(struct comparison *c, const struct bridge *bridge, const struct row_port *want)
{
    const struct ovsrec_port *row = g_hash_table_lookup(c->port_rows, want->name);
    /* Devices of the dummy datapath are none of the kernel's. */
    if (want->kind == PORT_PHYSICAL && strcmp(c->vs->datapath_type, "dummy") != 0) {
        g_autofree char *problem = physical_take(want->name);
        if (problem) {
            note_error(&c->vs->row_error, "bridge %s: %s", bridge->name, problem);
            return NULL;
        }
    }
    if (!row) {
        return insert_port(c, want);
    }
    if (!rows_owned(&row->external_ids, c->vs->owner)) {
        note_error(&c->vs->row_error,
                   "bridge %s: port %s exists already and is not marked as ours: remove it with ovs-vsctl del-port %s",
                   bridge->name, want->name, want->name);
        return NULL;
    }
    if (device_was_replaced(row)) {
        return NULL;
    }
    c->n_changes++;
    return row;
}

static void insert_bridge(struct comparison *c, const struct bridge *bridge)
{
    struct ovsrec_bridge *row = ovsrec_bridge_insert(c->txn);
    ovsrec_bridge_set_name(row, bridge->name);
    ovsrec_bridge_set_fail_mode(row, "secure");
    ovsrec_bridge_set_datapath_type(row, c->vs->datapath_type);
    struct smap map = SMAP_INITIALIZER(&map);
    smap_add(&map, "disable-in-band", "true");
    ovsrec_bridge_set_other_config(row, &map);
    smap_clear(&map);
    const char *key;
    g_autofree char *mark = bridge_mark(bridge, &key);
    smap_add(&map, MARK_OWNER, c->vs->owner);
    smap_add(&map, key, mark);
    ovsrec_bridge_set_external_ids(row, &map);
    smap_destroy(&map);
    g_autoptr(GPtrArray) ports = g_ptr_array_new();
    for (unsigned i = 0; i < bridge->row_ports->len; i++) {
        const struct ovsrec_port *port = port_to_add(c, bridge, &g_array_index(bridge->row_ports, struct row_port, i));
        if (port) {
            g_ptr_array_add(ports, (void *)port);
        }
    }
    ovsrec_bridge_set_ports(row, (struct ovsrec_port **)ports->pdata, ports->len);
    ovsrec_open_vswitch_update_bridges_addvalue(c->root, row);
    c->n_changes++;
}

/* Sets 'key' of a bridge's other_config or external_ids right. */
#define SET_KEY(C, ROW, COLUMN, KEY, VALUE)                                                                                        \
    do {                                                                                                                           \
        if (g_strcmp0(smap_get(&(ROW)->COLUMN, KEY), VALUE)) {                                                                     \
            ovsrec_bridge_update_##COLUMN##_setkey(ROW, KEY, VALUE);                                                               \
            (C)->n_changes++;                                                                                                      \
        }                                                                                                                          \
    } while (0)

/* Sets the columns of our bridge right. */
static void compare_bridge_columns(struct comparison *c, const struct bridge *bridge, const struct ovsrec_bridge *row)
{
    const char *key;
    g_autofree char *mark = bridge_mark(bridge, &key);
    SET_KEY(c, row, external_ids, key, mark);
    SET_KEY(c, row, other_config, "disable-in-band", "true");
    if (g_strcmp0(row->fail_mode, "secure")) {
        ovsrec_bridge_set_fail_mode(row, "secure");
        c->n_changes++;
    }
    if (strcmp(row->datapath_type, c->vs->datapath_type) != 0) {
        ovsrec_bridge_set_datapath_type(row, c->vs->datapath_type);
        c->n_changes++;
    }
}

/* Takes our ports that are not wanted there off the bridge 'row'; 'bridge' is NULL for a stranger. Returns the names of the others,
 * borrowed. */
static GHashTable *remove_ports(struct comparison *c, const struct bridge *bridge, const struct ovsrec_bridge *row)
{
    GHashTable *kept = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < row->n_ports; i++) {
        const struct ovsrec_port *port = row->ports[i];
        bool owned = rows_owned(&port->external_ids, c->vs->owner);
        bool wanted = bridge && g_hash_table_contains(bridge->index, port->name);
        if (owned && wanted && device_was_replaced(port)) {
            c->vs->reopening = true;
        }
        if (owned && (!wanted || device_was_replaced(port))) {
            ovsrec_bridge_update_ports_delvalue(row, port);
            c->n_changes++;
        } else {
            g_hash_table_insert(kept, port->name, (void *)port);
        }
    }
    return kept;
}

/* Sets the type and options of our port's interface right. */
static void compare_interface(struct comparison *c, const struct row_port *want, const struct ovsrec_port *row)
{
    const struct ovsrec_interface *interface = row->n_interfaces ? row->interfaces[0] : NULL;
    struct smap options = SMAP_INITIALIZER(&options);
    const char *type = port_options(want, &options);
    if (interface && *type && (strcmp(interface->type, type) != 0 || !smap_equal(&interface->options, &options))) {
        ovsrec_interface_set_type(interface, type);
        ovsrec_interface_set_options(interface, &options);
        c->n_changes++;
    }
    smap_destroy(&options);
}

/* Sets the marks and the QoS of our port that stays, and its interface. */
static void compare_port(struct comparison *c, const struct bridge *bridge, const struct row_port *want,
                         const struct ovsrec_port *row)
{
    g_autofree char *id = g_strdup_printf("%" G_GUINT32_FORMAT, want->id);
    if (!rows_owned(&row->external_ids, c->vs->owner)) {
        note_error(&c->vs->row_error, "bridge %s: port %s is there but not marked as ours: remove it with ovs-vsctl del-port %s",
                   bridge->name, want->name, want->name);
        return;
    }
    if (g_strcmp0(smap_get(&row->external_ids, port_mark(want)), id)) {
        ovsrec_port_update_external_ids_setkey(row, port_mark(want), id);
        c->n_changes++;
    }
    if (row->qos != port_qos(c, want)) {
        ovsrec_port_set_qos(row, port_qos(c, want));
        c->n_changes++;
    }
    compare_interface(c, want, row);
}

/* Makes the bridge that has 'row' as it is wanted. */
static void compare_bridge(struct comparison *c, const struct bridge *bridge, const struct ovsrec_bridge *row)
{
    compare_bridge_columns(c, bridge, row);
    g_autoptr(GHashTable) kept = remove_ports(c, bridge, row);
    for (unsigned i = 0; i < bridge->row_ports->len; i++) {
        const struct row_port *want = &g_array_index(bridge->row_ports, struct row_port, i);
        const struct ovsrec_port *port = g_hash_table_lookup(kept, want->name);
        if (port) {
            compare_port(c, bridge, want, port);
        } else if ((port = port_to_add(c, bridge, want))) {
            ovsrec_bridge_update_ports_addvalue(row, port);
        }
    }
}

/* Deals with the bridges that are there; returns the names of those that are ours to keep, or in the way. */
static GHashTable *compare_present(struct comparison *c)
{
    GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < c->root->n_bridges; i++) {
        const struct ovsrec_bridge *row = c->root->bridges[i];
        const struct bridge *bridge = g_hash_table_lookup(c->vs->bridges, row->name);
        if (!rows_owned(&row->external_ids, c->vs->owner)) {
            g_hash_table_unref(remove_ports(c, NULL, row));
            if (bridge) {
                note_error(&c->vs->row_error,
                           "bridge %s exists already and is not marked as ours: remove it with ovs-vsctl del-br %s", row->name,
                           row->name);
                g_hash_table_add(seen, row->name);
            }
        } else if (bridge) {
            compare_bridge(c, bridge, row);
            g_hash_table_add(seen, row->name);
        } else {
            ovsrec_open_vswitch_update_bridges_delvalue(c->root, row);
            c->n_changes++;
        }
    }
    return seen;
}

unsigned rows_compare(struct vswitch *vs, struct ovsdb_idl_txn *txn)
{
    struct comparison c = {.vs = vs, .txn = txn, .root = ovsrec_open_vswitch_first(vs->idl)};
    c.port_rows = g_hash_table_new(g_str_hash, g_str_equal);
    const struct ovsrec_port *port;
    OVSREC_PORT_FOR_EACH (port, vs->idl) {
        g_hash_table_insert(c.port_rows, port->name, (void *)port);
    }
    find_qos(&c);
    g_autoptr(GHashTable) seen = compare_present(&c);
    GHashTableIter iter;
    void *name;
    void *bridge;
    g_hash_table_iter_init(&iter, vs->bridges);
    while (g_hash_table_iter_next(&iter, &name, &bridge)) {
        if (!g_hash_table_contains(seen, name)) {
            insert_bridge(&c, bridge);
        }
    }
    g_hash_table_unref(c.port_rows);
    return c.n_changes;
}

/* Reads the OpenFlow ports of a bridge from its row, which is NULL when it has none. */
static void read_bridge_ofports(struct vswitch *vs, struct bridge *bridge, const struct ovsrec_bridge *row)
{
    const struct row_port *first = (const struct row_port *)(const void *)bridge->row_ports->data;
    uint16_t *ofports = g_new0(uint16_t, bridge->row_ports->len);
    for (size_t i = 0; row && i < row->n_ports; i++) {
        const struct ovsrec_port *port = row->ports[i];
        const struct row_port *want = g_hash_table_lookup(bridge->index, port->name);
        const struct ovsrec_interface *interface = port->n_interfaces ? port->interfaces[0] : NULL;
        if (!want || !interface) {
            continue;
        }
        if (interface->error) {
            note_error(&vs->port_error, "bridge %s: port %s: %s", bridge->name, port->name, interface->error);
        }
        if (interface->n_ofport && *interface->ofport > 0) {
            ofports[want - first] = (uint16_t)*interface->ofport;
        }
    }
    for (unsigned i = 0; i < bridge->row_ports->len; i++) {
        bridge->rules_stale |= ofports[i] != bridge->ofports[i];
    }
    g_free(bridge->ofports);
    bridge->ofports = ofports;
}

/* Looks for wanted ports of a bridge without a number. */
static void check_ofports(struct vswitch *vs, const struct bridge *bridge, bool is_current)
{
    for (unsigned i = 0; i < bridge->row_ports->len; i++) {
        if (!bridge->ofports[i]) {
            vs->ports_open = false;
            if (is_current) {
                note_error(&vs->port_error, "bridge %s: port %s: not opened by the switch: see the log of ovs-vswitchd",
                           bridge->name, g_array_index(bridge->row_ports, struct row_port, i).name);
            }
            break;
        }
    }
}

void rows_read_ofports(struct vswitch *vs, bool is_current)
{
    g_clear_pointer(&vs->port_error, g_free);
    vs->ports_open = true;
    g_autoptr(GHashTable) rows = g_hash_table_new(g_str_hash, g_str_equal);
    const struct ovsrec_bridge *row;
    OVSREC_BRIDGE_FOR_EACH (row, vs->idl) {
        if (rows_owned(&row->external_ids, vs->owner)) {
            g_hash_table_insert(rows, row->name, (void *)row);
        }
    }
    GHashTableIter iter;
    void *data;
    g_hash_table_iter_init(&iter, vs->bridges);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        struct bridge *bridge = data;
        read_bridge_ofports(vs, bridge, g_hash_table_lookup(rows, bridge->name));
        check_ofports(vs, bridge, is_current);
    }
}
