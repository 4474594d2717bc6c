/* SPDX-License-Identifier: Apache-2.0 */
/* Whose pnode this machine is, when a coordinator has taken it in: kept in a file, so that it is so after a restart, too. */
#ifndef DAEMON_MEMBERSHIP_H
#define DAEMON_MEMBERSHIP_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct membership {
    char *database;     /* For db_open(). */
    bool registered;    /* This machine's row has been in the database. */
    GHashTable *labels; /* Name -> text. Never NULL. */
    uint32_t max_vnodes, max_vifaces;
};

struct membership *membership_new(const char *database);
/* NULL is fine. */
void membership_free(struct membership *);

/* Reads state_dir/coordinator. NULL: there is none; or with an error. */
struct membership *membership_load(const char *state_dir, GError **error);
/* Writes it, whole or not at all. */
bool membership_save(const struct membership *, const char *state_dir, GError **error);
/* Removes it; fine when there is none. */
bool membership_forget(const char *state_dir, GError **error);

#endif
