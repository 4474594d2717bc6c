/* SPDX-License-Identifier: Apache-2.0 */
/* distem/db.h as far as the coordinator uses it, without a server: what is stored is there at once. */
#ifndef TESTS_FAKE_DB_H
#define TESTS_FAKE_DB_H 1

#include "distem/db.h"

struct db {
    struct platform *platform; /* NULL: none. */
    GPtrArray *pnodes;         /* Of struct pnode, owned. */
    uint64_t generation;
    int64_t start; /* Of the traces; 0: open. */
    bool disconnected;
    bool refuses; /* Platforms are not stored: a conflict. */
};

struct db *fake_db_new(void);
/* Returns the pnode with that name, or NULL. */
struct pnode *fake_db_pnode(const struct db *, const char *name);

#endif
