/* SPDX-License-Identifier: Apache-2.0 */
/* distemd's command line. */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct options {
    bool coordinator, pnode; /* What this process is: one of the two at least. */
    char *coordinator_host;  /* Another machine's coordinator: name or address. NULL: not said. */
    uint16_t coordinator_port;
    char *listen; /* NULL: not said. */
    char *db, *run_dir, *state_dir, *log_level, *name, *underlay;
    GHashTable *labels; /* Name -> text. */
    int port, max_vnodes, max_vifaces;
    gboolean detach, doctor, cleanup, dry_run, json, version;
};

/* Reads it, with defaults for what is not said. The caller calls options_clear(), with an error, too. */
bool options_read(int *argc, char ***argv, struct options *ret, GError **error);
void options_clear(struct options *);

/* Reads "HOST", "HOST:PORT", "[ADDRESS]:PORT" or an IPv6 address; the caller frees '*ret_host'. '*ret_port' stays when no port is
 * named. */
bool options_parse_host(const char *text, char **ret_host, uint16_t *ret_port, GError **error);

#endif
