/* SPDX-License-Identifier: Apache-2.0 */
/* The pnode's part of distemd: makes one machine look like its rows in the Distem database, and writes back what it sees. */
#ifndef DISTEM_PNODE_DAEMON_H
#define DISTEM_PNODE_DAEMON_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "distem/db.h"
#include "distem/ip.h"

struct pnode_config {
    const char *name;        /* This machine's name in the database. */
    const char *run_dir;     /* "/run/distem": gone after a reboot, as namespaces and devices are. */
    const char *state_dir;   /* "/var/lib/distem". */
    const char *worker_path; /* The program distem-vnode. */
    unsigned workers;        /* How many of it at once. */
    const char *underlay;    /* Interface or address that tunnels end at; NULL: there are no other machines. */
    const char *address;     /* As in struct pnode: where actions are served. NULL: nowhere. */
    GHashTable *labels;      /* Name -> text. */
    uint32_t max_vnodes;     /* 0: no limit. */
    uint32_t max_vifaces;
    bool known; /* The database has had this machine's row: when it is no longer there, it was removed. */
};

struct pnode_daemon;

/* Finds (or starts) Open vSwitch, looks what this machine can do and has from before, and registers it in 'db', which must outlive
 * the result. Strings in 'config' are copied. */
struct pnode_daemon *pnode_daemon_new(const struct pnode_config *config, struct db *db, GError **error);
/* Ends the work and leaves the machine as it is: vnodes run on. */
void pnode_daemon_free(struct pnode_daemon *);
void pnode_daemon_run(struct pnode_daemon *);
void pnode_daemon_wait(struct pnode_daemon *);
/* Says whether the database has been told that this machine starts anew, or refused to take it: until then it says what the last
 * daemon had realised. */
bool pnode_daemon_is_introduced(const struct pnode_daemon *);
/* Says whether the database has this machine's row. */
bool pnode_daemon_is_registered(const struct pnode_daemon *);
/* Returns why the database refused it; NULL: it did not. Valid until the next pnode_daemon_run(). */
const char *pnode_daemon_refusal(const struct pnode_daemon *);
/* Says whether somebody has removed this machine from the platform, and all that it had for it is gone. */
bool pnode_daemon_is_removed(const struct pnode_daemon *);
/* See vswitch_trace(). */
char *pnode_daemon_trace(const struct pnode_daemon *, uint32_t vnetwork_id, const char *flow, GError **error);

/* Returns the name of this machine for the database: its host name up to the first dot. The caller frees it. */
char *pnode_default_name(void);

/* Finds out where a machine (a name or an address) is, and the address that this machine has for it. Sends nothing but questions
 * for the name. */
bool pnode_source_address(const char *host, struct ip_addr *ret_host, struct ip_addr *ret_source, GError **error);

/* `distemd --doctor`: prints what this machine has and lacks, as text or JSON; returns the exit code, 0 when nothing is missing. */
int pnode_doctor(bool json);

/* `distemd --cleanup`: removes what distem left behind on this machine, whatever ended it, or only lists it; returns the exit code.
 */
int pnode_cleanup(const char *run_dir, const char *state_dir, bool dry_run, bool json);

#endif
