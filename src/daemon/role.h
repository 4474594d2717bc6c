/* SPDX-License-Identifier: Apache-2.0 */
/* This machine as a pnode: of the coordinator in the same process, of another machine's, or of nobody's yet. */
#ifndef DAEMON_ROLE_H
#define DAEMON_ROLE_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "distem/db.h"

#include "options.h"

/* Programs and names that the parts of distemd share. */
struct places {
    char *name; /* Of the pnode. */
    char *worker, *probe, *relay;
};

struct pnode_role;

/* The pnode of the coordinator in the same process, whose database 'db' is. */
struct pnode_role *pnode_role_own(const struct options *, const struct places *, struct db *db, GError **error);
/* A pnode that serves its actions: of the coordinator that the options name, else of the one that had taken it in; else it waits
 * for one. All arguments must outlive the result. */
struct pnode_role *pnode_role_new(const struct options *, const struct places *, GError **error);
/* NULL is fine, also below. */
void pnode_role_free(struct pnode_role *);
void pnode_role_run(struct pnode_role *);
void pnode_role_wait(struct pnode_role *);

/* See vswitch_trace(); 'role' is a struct pnode_role. */
char *pnode_role_trace(void *role, uint32_t vnetwork_id, const char *flow, GError **error);

/* Says whether the database no longer tells of the time before this daemon. */
bool pnode_role_is_introduced(const struct pnode_role *);
/* Says whether there is nothing to wait for at the start, and in '*ret_reason' what is wrong (NULL: nothing). */
bool pnode_role_is_ready(const struct pnode_role *, const char **ret_reason);

#endif
