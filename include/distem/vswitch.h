/* SPDX-License-Identifier: Apache-2.0 */
/* Open vSwitch on one pnode: bridges, ports, tunnels and OpenFlow rules, found by their ownership marks (external_ids, and a cookie
 * for rules), never by memory. None of the functions blocks, except vswitch_purge() and server_...().
 *
 * A bridge forwards between its wanted ports and remotes only (the rules are described in ovs/forwarding.h): known MAC addresses to
 * their port or tunnel; ARP requests for known addresses are answered by the switch; IPv6 neighbour solicitations go to the owner
 * alone; all else to every other port and every other pnode once. What comes from another pnode never goes to another one.
 *
 *      dbN  bridge of vnetwork N       dtN  its VXLAN tunnel port (one for all pnodes: the rules say which)
 *      dqN  its patch port to          drN  the other end on the provider bridge dpX of a physical interface, for VLANs */
#ifndef DISTEM_VSWITCH_H
#define DISTEM_VSWITCH_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "distem/ip.h"
#include "distem/platform.h"

struct vswitch;

/* A port that a bridge must have: the host end of a viface. */
struct vswitch_port {
    uint32_t viface_id;
    char netdev[16]; /* Exists already. */
    struct mac_addr mac;
    struct ip_addr ipv4, ipv6;
};

/* A viface of a bridge's vnetwork on another pnode. */
struct vswitch_remote {
    struct mac_addr mac;
    struct ip_addr ipv4, ipv6;
    struct ip_addr tunnel; /* VXLAN: that pnode's end of the tunnel. VLAN: family 0. */
};

/* A bridge that must be there, with exactly these ports, joined to the same vnetwork's bridges on other pnodes. */
struct vswitch_bridge {
    uint32_t vnetwork_id;
    char name[16];            /* See vswitch_bridge_name(). */
    GArray *ports;            /* Of struct vswitch_port. */
    GArray *remotes;          /* Of struct vswitch_remote, in an order that does not change by itself; NULL or empty: none. */
    enum transport transport; /* How the remotes are reached; without any, nothing is made for it. */
    uint32_t vni;             /* VXLAN. */
    uint16_t udp_port;        /* VXLAN: destination port. */
    struct ip_addr local;     /* VXLAN: this pnode's end. */
    uint16_t vlan;            /* VLAN. */
    char interface[16];       /* VLAN: the physical interface. */
};

/* Writes the name of the bridge of vnetwork 'id' to 'name'. */
void vswitch_bridge_name(uint32_t vnetwork_id, char name[16]);

/* Connects to the switch whose database listens on 'remote' ("unix:/run/openvswitch/db.sock") and whose OpenFlow sockets are in
 * 'run_dir'. 'datapath_type' is "system" (the kernel's) or "netdev". 'owner' marks rows as this daemon's. */
struct vswitch *vswitch_open(const char *remote, const char *run_dir, const char *datapath_type, const char *owner);
void vswitch_close(struct vswitch *);
void vswitch_run(struct vswitch *);
void vswitch_wait(struct vswitch *);

/* Sets what is wanted: an array of struct vswitch_bridge, copied. From then on vswitch_run() makes the switch so, again after every
 * change that somebody else makes to owned rows: all bridges and ports in one transaction, each bridge's rules in one OpenFlow
 * bundle of the differences. Rows without our mark are never touched. */
void vswitch_want(struct vswitch *, const GArray *bridges);
/* Says whether everything wanted was in place when last looked: rows, ports opened by the switch, rules accepted. */
bool vswitch_is_settled(const struct vswitch *);
/* Returns what keeps it from being settled, for people, or NULL; names bridge and port. Valid until the next vswitch_run(). */
const char *vswitch_error(const struct vswitch *);
/* Returns a number that changes whenever vswitch_is_settled() or vswitch_error() may have. */
unsigned vswitch_seqno(const struct vswitch *);
/* Counts since the start, for tests and `status`: transactions sent, rules added or removed. */
void vswitch_counters(const struct vswitch *, uint64_t *ret_transactions, uint64_t *ret_rules);

/* Asks the switch what it would do with a packet: 'flow' as ofproto/trace takes it ("in_port=dv7,dl_src=..."), on the bridge of
 * vnetwork 'vnetwork_id'. Returns the switch's answer as text, which the caller frees; NULL with an error. Waits for the switch,
 * which takes a millisecond when it is idle, two seconds at most. */
char *vswitch_trace(const struct vswitch *, uint32_t vnetwork_id, const char *flow, GError **error);

/* For `distem cleanup`: lists the names of all bridges that are marked with 'owner' (NULL: with any owner of ours), and removes
 * them when 'remove'. Waits for the switch for at most 'timeout_ms'. Returns an array of strings or NULL with an error. */
GPtrArray *vswitch_purge(const char *remote, const char *owner, bool remove, int timeout_ms, GError **error);

/* Private servers, for machines that run none of their own. They are daemons that outlive this process (sessions of their own) and
 * are found again by the locks on their pid files in 'run_dir'. Each function makes sure that the server runs and answers; it takes
 * some 20 ms when it does, below a second when it must be started. Errors name the log file and quote its last line. */

/* ovsdb-server for the Distem database: file 'db_file' (made, or converted to a newer schema, from 'schema_file') on the socket
 * 'run_dir'/distem-db.sock, and, with 'listen' not NULL, for other machines too ("ptcp:4569:192.0.2.1"), no longer where an earlier
 * call said. */
bool server_ensure_db(const char *run_dir, const char *db_file, const char *schema_file, const char *listen, GError **error);
/* ovsdb-server and ovs-vswitchd of our own below 'run_dir'/ovs: database on 'run_dir'/ovs/db.sock, run directory 'run_dir'/ovs.
 * Loads the kernel's module openvswitch if there is one. On a machine that was started less than 11 s ago it waits for that moment:
 * ovs-vswitchd 3.1 started earlier loses packets for good. */
bool server_ensure_vswitch(const char *run_dir, GError **error);
/* Watches what one of the two functions above has started. */
struct server_keeper;
struct server_keeper *server_keep_db(const char *run_dir, const char *db_file, const char *schema_file, const char *listen);
struct server_keeper *server_keep_vswitch(const char *run_dir);
/* The servers run on. NULL is fine. */
void server_keeper_free(struct server_keeper *);
/* Starts again what has ended, at most once in a second, and less often while that fails; takes as long as a start takes. Returns
 * whether it has started anything. */
bool server_keeper_run(struct server_keeper *);
void server_keeper_wait(struct server_keeper *);
/* Returns why the last start failed, until one succeeds; NULL when all is well. Valid until the next server_keeper_run(). */
const char *server_keeper_error(const struct server_keeper *);
/* Says whether the machine runs an Open vSwitch of its own that answers at the usual place and sees our network interfaces. */
bool server_machine_vswitch(void);
/* Stop what the two functions above started in 'run_dir', if it runs, and remove its sockets and pid files; databases and logs
 * stay. The switch takes its datapath out of the kernel first. They wait for the end, at most some 10 s. */
bool server_stop_db(const char *run_dir, GError **error);
bool server_stop_vswitch(const char *run_dir, GError **error);

#endif
