/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the Distem database share: a server in a sandbox, waiting for transactions, a platform with everything in it.
 */
#ifndef DB_FIXTURE_H
#define DB_FIXTURE_H 1

#include "distem/db.h"
#include "distem/poll.h"
#include "ovs-sandbox.h"

#define WAIT_DB(DB, CONDITION) WAIT_UNTIL(CONDITION, db_run(DB), db_wait(DB))

/* How transactions ended. */
struct outcome {
    unsigned count;
    int code; /* Of the last; -1: success. */
};

/* A db_done function; 'aux' is a struct outcome. */
void db_note(void *aux, const GError *error);

/* Makes a sandbox with a Distem database. */
struct sandbox *new_db_sandbox(void);
/* Connects, and waits for the copy. */
struct db *db_open_ready(const char *remote, const char *pnode);
/* Stores and waits for the end, which must be 'code' (-1: success). */
void db_store(struct db *db, const struct platform *platform, uint64_t generation, int code);
/* Returns which rows the last transaction in the database's file touched, one a line: "table Vnode row ...". The caller frees it.
 */
char *db_last_change(const struct sandbox *sandbox);

/* Makes routes from "TO", "VIA" pairs, each by the next viface; 'texts' ends with NULL. The caller unrefs them. */
GArray *new_routes(const char *const *texts);
/* Makes a platform with everything in it: 'count' vnodes on two vnetworks and, in turn, the pnodes left and right. */
struct platform *whole_platform(unsigned count);
void assert_vnodes_equal(const struct vnode *a, const struct vnode *b);
void assert_platforms_equal(const struct platform *a, const struct platform *b);

#endif
