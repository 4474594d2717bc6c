/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the switch share: vswitch.c (what is wanted, and the course of things), vswitch-rows.c (rows of the switch's
 * database), vswitch-purge.c. */
#ifndef OVS_VSWITCH_IMPL_H
#define OVS_VSWITCH_IMPL_H 1

#include <glib.h>

#include "distem/vswitch.h"
#include "lib/vswitch-idl.h"
#include "ofconn.h"
#include "ovsdb-idl.h"

/* external_ids keys of what is ours. */
#define MARK_OWNER "distem-owner"
#define MARK_VNETWORK "distem-vnetwork" /* Of bridges. */
#define MARK_VIFACE "distem-viface"     /* Of ports. */
#define MARK_UPLINK "distem-uplink"     /* Of ports that lead to other pnodes: the vnetwork, or the physical interface. */
#define MARK_IFINDEX "distem-ifindex"   /* Of ports: which device of that name it was when the port was made. */

/* The type of the QoS row that our ports have. */
#define QOS_TYPE "linux-noop"

/* What kind of port a row stands for. */
enum port_kind {
    PORT_VIFACE,   /* The host end of a viface. */
    PORT_TUNNEL,   /* VXLAN to all other pnodes. */
    PORT_PATCH,    /* To another bridge of ours. */
    PORT_PHYSICAL, /* The physical interface of a provider bridge. */
};

/* A wanted row in the table Port, with its interface. */
struct row_port {
    enum port_kind kind;
    char name[16];
    uint32_t id; /* Of the viface; of the vnetwork for tunnels and patches. */
    /* Tunnels. */
    uint32_t vni;
    uint16_t udp_port;
    struct ip_addr local;
    /* Patches. */
    char peer[16];
    uint16_t vlan; /* On a provider bridge. */
};

/* A wanted bridge: of a vnetwork, or of a physical interface. */
struct bridge {
    char name[16];
    uint32_t vnetwork_id; /* 0: a provider bridge ... */
    char interface[16];   /* ... of this physical interface. */
    GArray *ports;        /* Of struct vswitch_port. */
    GArray *remotes;      /* Of struct vswitch_remote. */
    GArray *row_ports;    /* Of struct row_port: those of 'ports' in the same order, then others. */
    GHashTable *index;    /* Port name -> pointer into 'row_ports'. */
    uint16_t *ofports;    /* One per row_port; 0: not opened by the switch. */
    bool rules_stale;     /* Something of the above changed after the rules were made. */
    bool wanted;          /* While vswitch_want() compares. */
    struct ofconn *conn;
};

struct vswitch {
    char *run_dir, *datapath_type, *owner;
    struct ovsdb_idl *idl;
    GHashTable *bridges; /* Name -> struct bridge, owned. */

    bool rows_stale;           /* The rows have not been compared since something changed. */
    bool ports_stale;          /* Nor have the interfaces been looked at. */
    bool reopening;            /* Ports were taken away that are to come back: the switch must have seen them gone. */
    unsigned idl_seqno;        /* Of the copy when the two were last set. */
    int64_t lost_at;           /* ms: when the database was found not to answer; 0: it does. */
    struct ovsdb_idl_txn *txn; /* On its way, or NULL. */
    int64_t retry_at;          /* ms: no new transaction before this time. */
    int64_t behind_at;         /* ms: when the switch was found not to have acted on our rows; 0: it has. */
    int64_t wanted_cfg;        /* The switch has acted on our rows when its cur_cfg is this. */

    bool ports_open;  /* All wanted ports have been opened by the switch. */
    char *txn_error;  /* Why the last transaction failed, or NULL. */
    char *row_error;  /* What cannot be written, from the last comparison, or NULL. */
    char *port_error; /* Which interface the switch could not open, or NULL. */
    char *error;      /* The first of all these and the bridges', or NULL. */
    bool is_settled;
    unsigned seqno;
    uint64_t n_transactions, n_rules;
};

/* bridges.c */

/* Makes 'bridges' (name -> struct bridge) what is wanted: an array of struct vswitch_bridge. What has not changed is kept. */
void bridges_want(GHashTable *bridges, const GArray *wanted);
/* Makes the table for it. */
GHashTable *bridges_new(void);
/* Returns the rules that 'bridge' is to have; the caller gets a reference. */
struct rule_set *bridge_rules(const struct bridge *);

/* Makes an unconnected copy of the tables and columns that are needed, without interfaces' state. */
struct ovsdb_idl *rows_idl_new(void);
/* Adds to the open transaction what the rows lack, and sets row_error and reopening. Returns how many rows differ. */
unsigned rows_compare(struct vswitch *, struct ovsdb_idl_txn *);
/* Reads the OpenFlow port numbers of the wanted ports, and sets ports_open and port_error. 'is_current': the switch has acted on
 * the rows, so that a port without a number is an error. */
void rows_read_ofports(struct vswitch *, bool is_current);
/* physical.c: makes sure that the interface can carry VLANs of ours: it is there, up, and nobody's address hangs on it. Returns a
 * sentence that says why not, to be freed, or NULL. */
char *physical_take(const char *interface);
/* Deletes a QoS row, in the open transaction, with what refers to it. */
void rows_delete_qos(struct ovsdb_idl *, const struct ovsrec_qos *);
/* Says whether the row is ours: with 'owner' NULL any daemon's of this program. */
bool rows_owned(const struct smap *external_ids, const char *owner);

#endif
