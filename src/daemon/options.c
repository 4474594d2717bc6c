/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "options.h"

#include <string.h>

#include "distem/error.h"
#include "distem/ip.h"
#include "distem/log.h"

#define PORT_DEFAULT 4567
#define LABEL_MAX_LENGTH 63

bool options_parse_host(const char *text, char **ret_host, uint16_t *ret_port, GError **error)
{
    struct ip_addr address;
    const char *colon = strrchr(text, ':');
    g_autofree char *host = NULL;
    const char *port = NULL;
    if (*text == '[') {
        const char *end = strchr(text, ']');
        host = end ? g_strndup(text + 1, (gsize)(end - text - 1)) : NULL;
        port = end && end[1] == ':' ? end + 2 : NULL;
        if (!end || (end[1] && !port) || !ip_addr_parse(host, &address, NULL)) {
            return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\": expected [IPv6 ADDRESS]:PORT", text);
        }
    } else if (!colon || ip_addr_parse(text, &address, NULL)) {
        host = g_strdup(text);
    } else {
        host = g_strndup(text, (gsize)(colon - text));
        port = colon + 1;
    }
    guint64 number;
    if (!*host || (port && !g_ascii_string_to_unsigned(port, 10, 1, UINT16_MAX - 2, &number, NULL))) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\": expected HOST or HOST:PORT", text);
    }
    *ret_port = port ? (uint16_t)number : *ret_port;
    *ret_host = g_steal_pointer(&host);
    return true;
}

static gboolean set_coordinator(const char *option G_GNUC_UNUSED, const char *value, gpointer data, GError **error)
{
    struct options *o = data;
    o->coordinator = true;
    g_clear_pointer(&o->coordinator_host, g_free);
    return !value || options_parse_host(value, &o->coordinator_host, &o->coordinator_port, error);
}

/* As in topology files, where vnodes ask for labels. */
static bool is_label(const char *name, const char *text)
{
    bool ok = g_ascii_isalnum(*name) && strlen(name) <= LABEL_MAX_LENGTH && strlen(text) <= LABEL_MAX_LENGTH &&
              name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
    for (const char *c = text; *c; c++) {
        ok = ok && g_ascii_isprint(*c) && *c != ',' && *c != '=';
    }
    return ok;
}

static gboolean add_label(const char *option G_GNUC_UNUSED, const char *value, gpointer data, GError **error)
{
    struct options *o = data;
    g_auto(GStrv) parts = g_strsplit(value, "=", 2);
    if (!parts[0] || !parts[1] || !is_label(parts[0], parts[1])) {
        return fail(
            error, DISTEM_ERROR_INVALID, 0,
            "--label=%s: expected NAME=TEXT, a name of letters, digits, '-', '_' and '.', a text of ASCII without ',' and '=', "
            "both of at most %d characters",
            value, LABEL_MAX_LENGTH);
    }
    g_hash_table_insert(o->labels, g_strdup(parts[0]), g_strdup(parts[1]));
    return TRUE;
}

/* Fills in what the options mean together. */
static bool settle_roles(struct options *o, gboolean pnode, GError **error)
{
    if (o->coordinator_host) {
        if (!pnode) {
            return fail(error, DISTEM_ERROR_INVALID, 0,
                        "--coordinator=%s names another machine: add --pnode to make this one a pnode of it", o->coordinator_host);
        }
        if (o->db) {
            return fail(error, DISTEM_ERROR_INVALID, 0, "--db and the coordinator's host exclude each other: its database is used");
        }
    }
    bool asked = o->coordinator && !o->coordinator_host;
    o->coordinator = asked || !pnode;
    o->pnode = pnode || !asked;
    return true;
}

static bool check(const struct options *o, GError **error)
{
    enum log_level level;
    struct ip_addr address;
    if (o->log_level) {
        if (!log_level_parse(o->log_level, &level, error)) {
            return false;
        }
        log_set_level(level);
    }
    /* The next two ports are used as well. */
    if (o->port < 1 || o->port > UINT16_MAX - 2) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "--port=%d: expected a number from 1 to %d", o->port, UINT16_MAX - 2);
    }
    if (o->max_vnodes < 0 || o->max_vifaces < 0) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "--max-vnodes and --max-vifaces cannot be negative");
    }
    return !o->listen || ip_addr_parse(o->listen, &address, error);
}

bool options_read(int *argc, char ***argv, struct options *o, GError **error)
{
    *o = (struct options){.port = PORT_DEFAULT,
                          .coordinator_port = PORT_DEFAULT,
                          .labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free)};
    gboolean pnode = FALSE;
    const GOptionEntry entries[] = {
        {"coordinator", 0, G_OPTION_FLAG_OPTIONAL_ARG, G_OPTION_ARG_CALLBACK, set_coordinator,
         "Be the coordinator only; or, with --pnode, whose pnode to be", "HOST[:PORT]"},
        {"pnode", 0, 0, G_OPTION_ARG_NONE, &pnode, "Be a pnode only", NULL},
        {"listen", 0, 0, G_OPTION_ARG_STRING, &o->listen, "Address to serve requests on [127.0.0.1]", "ADDRESS"},
        {"port", 0, 0, G_OPTION_ARG_INT, &o->port, "Port of the REST API; actions are on the next one [4567]", "PORT"},
        {"underlay", 0, 0, G_OPTION_ARG_STRING, &o->underlay, "Where this machine's tunnels end", "ADDRESS|INTERFACE"},
        {"label", 0, 0, G_OPTION_ARG_CALLBACK, add_label, "A label of this machine; may be repeated", "NAME=TEXT"},
        {"max-vnodes", 0, 0, G_OPTION_ARG_INT, &o->max_vnodes, "How many vnodes this machine takes", "N"},
        {"max-vifaces", 0, 0, G_OPTION_ARG_INT, &o->max_vifaces, "How many vifaces this machine takes", "N"},
        {"db", 0, 0, G_OPTION_ARG_STRING, &o->db, "Distem database [a private ovsdb-server]", "REMOTE"},
        {"name", 0, 0, G_OPTION_ARG_STRING, &o->name, "This machine's name as a pnode [its host name]", "NAME"},
        {"run-dir", 0, 0, G_OPTION_ARG_FILENAME, &o->run_dir, "Folder for what a reboot ends [" RUNDIR "]", "DIR"},
        {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &o->state_dir, "Folder for what lasts [" STATEDIR "]", "DIR"},
        {"log-level", 0, 0, G_OPTION_ARG_STRING, &o->log_level, "error, warning, info or debug [info]", "LEVEL"},
        {"detach", 0, 0, G_OPTION_ARG_NONE, &o->detach, "Run in the background, once it is ready", NULL},
        {"doctor", 0, 0, G_OPTION_ARG_NONE, &o->doctor, "Show what this machine has and lacks, and exit", NULL},
        {"cleanup", 0, 0, G_OPTION_ARG_NONE, &o->cleanup, "Remove what distem left behind on this machine, and exit", NULL},
        {"dry-run", 0, 0, G_OPTION_ARG_NONE, &o->dry_run, "With --cleanup: only list it", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &o->json, "With --doctor and --cleanup: print JSON", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &o->version, "Print the version, and exit", NULL},
        {0},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    GOptionGroup *group = g_option_group_new("distemd", "", "", o, NULL);
    g_option_group_add_entries(group, entries);
    g_option_context_set_main_group(context, group);
    g_option_context_set_summary(context, "Distem's daemon: builds the platform that `distem up` describes. It is the coordinator "
                                          "and a pnode, unless --coordinator or --pnode says that it is one of them.");
    bool parsed = g_option_context_parse(context, argc, argv, error);
    /* Not before: the parser does not free what it replaces. */
    o->run_dir = o->run_dir ? o->run_dir : g_strdup(RUNDIR);
    o->state_dir = o->state_dir ? o->state_dir : g_strdup(STATEDIR);
    if (!parsed) {
        return false;
    }
    if (*argc > 1) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "unexpected argument \"%s\": distemd takes options only", (*argv)[1]);
    }
    return settle_roles(o, pnode, error) && check(o, error);
}

void options_clear(struct options *o)
{
    g_free(o->coordinator_host);
    g_free(o->listen);
    g_free(o->db);
    g_free(o->run_dir);
    g_free(o->state_dir);
    g_free(o->log_level);
    g_free(o->name);
    g_free(o->underlay);
    g_hash_table_unref(o->labels);
}
