/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "distem/log.h"

char *pnode_default_name(void)
{
    struct utsname uts;
    if (uname(&uts) < 0) {
        return g_strdup("localhost");
    }
    return g_strndup(uts.nodename, strcspn(uts.nodename, "."));
}

void machine_load_module(const char *name)
{
    const char *argv[] = {"modprobe", "-q", name, NULL};
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                 NULL, NULL, NULL, NULL, NULL);
}

bool machine_has_kernel_datapath(void)
{
    if (access("/sys/module/openvswitch", F_OK) < 0) {
        machine_load_module("openvswitch");
    }
    return access("/sys/module/openvswitch", F_OK) == 0;
}

/* Returns the highest frequency of the first core in Hz, or 0 where the machine does not say. */
static uint64_t core_frequency(void)
{
    g_autofree char *text = NULL;
    if (g_file_get_contents("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", &text, NULL, NULL)) {
        return g_ascii_strtoull(text, NULL, 10) * 1000;
    }
    if (g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL)) {
        const char *line = strstr(text, "cpu MHz");
        const char *colon = line ? strchr(line, ':') : NULL;
        return colon ? (uint64_t)(g_ascii_strtod(colon + 1, NULL) * 1e6) : 0;
    }
    return 0;
}

/* Returns what tells this machine apart from others with its name: the machine's own id, and the folder, because several daemons
 * may stand for several machines on one. Where there is no such id, a random one is kept in the folder. */
static char *machine_identity(const char *state_dir)
{
    g_autofree char *id = NULL;
    if (!g_file_get_contents("/etc/machine-id", &id, NULL, NULL) || strlen(g_strchomp(id)) < 32) {
        g_autofree char *file = g_build_filename(state_dir, "identity", NULL);
        g_free(g_steal_pointer(&id));
        if (!g_file_get_contents(file, &id, NULL, NULL) || strlen(g_strchomp(id)) < 32) {
            g_autoptr(GError) error = NULL;
            g_free(id);
            id = g_uuid_string_random();
            if (!g_file_set_contents_full(file, id, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error)) {
                log_warning("pnode", "this machine will be another one after a restart", "error=\"%s\"", error->message);
            }
        }
    }
    g_autofree char *canonical = g_canonicalize_filename(state_dir, "/");
    g_autofree char *text = g_strdup_printf("%s %s", id, canonical);
    char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    hash[32] = '\0';
    return hash;
}

void machine_load_modules(void)
{
    static const char *const modules[] = {"sch_netem",   "sch_htb", "sch_ingress", "cls_u32", "cls_fw",  "cls_basic", "act_mirred",
                                          "act_skbedit", "ifb",     "veth",        "sch_fq",  "cls_bpf", "sch_plug",  "overlay"};
    for (unsigned i = 0; i < G_N_ELEMENTS(modules); i++) {
        machine_load_module(modules[i]);
    }
}

/* As link_missing_features(), and what switching lacks. */
static GPtrArray *missing_features(GError **error)
{
    GPtrArray *missing = link_missing_features(error);
    if (missing && !machine_has_kernel_datapath()) {
        g_ptr_array_add(missing, g_strdup("openvswitch datapath: kernel module openvswitch"));
    }
    return missing;
}

/* Returns what 'find' finds to be missing here for 'what', in one text; NULL for nothing. */
static char *missing_for(GPtrArray *(*find)(GError **), const char *what)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) missing = find(&error);
    if (!missing) {
        log_warning("pnode", "cannot tell whether the kernel can do what is needed", "for=\"%s\" error=\"%s\"", what,
                    error->message);
        return NULL;
    }
    bool any = missing->len;
    g_ptr_array_add(missing, NULL);
    return any ? g_strjoinv("; ", (char **)missing->pdata) : NULL;
}

static bool takes_seeds(void)
{
    bool seeds = false;
    g_autoptr(GError) error = NULL;
    if (!link_takes_seeds(&seeds, &error)) {
        log_warning("pnode", "cannot tell whether netem takes seeds", "error=\"%s\"", error->message);
    }
    return seeds;
}

struct pnode *machine_describe(const struct pnode_config *config, const struct underlay *underlay, struct link_manager *links)
{
    struct pnode *pnode = pnode_new(config->name);
    pnode->identity = machine_identity(config->state_dir);
    pnode->cores = (uint32_t)get_nprocs();
    pnode->frequency = core_frequency();
    pnode->memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    struct utsname uts;
    pnode->kernel = uname(&uts) == 0 ? g_strdup(uts.release) : NULL;
    machine_load_modules();
    pnode->missing = missing_for(missing_features, "shaping");
    pnode->no_matrix = missing_for(link_missing_for_matrices, "latency matrices");
    pnode->no_blackouts = missing_for(link_missing_for_blackouts, "blackouts in traces");
    pnode->seeds = takes_seeds();
    pnode->max_vnodes = config->max_vnodes;
    pnode->max_vifaces = config->max_vifaces;
    pnode->address = g_strdup(config->address);
    pnode->ipv4 = underlay->ipv4;
    pnode->ipv6 = underlay->ipv6;
    pnode->mtu = underlay->mtu;
    g_autoptr(GError) error = NULL;
    GHashTable *interfaces = link_interfaces(links, &error);
    if (interfaces) {
        g_hash_table_unref(pnode->interfaces);
        pnode->interfaces = interfaces;
    } else {
        log_warning("pnode", "cannot list this machine's interfaces", "error=\"%s\"", error->message);
    }
    GHashTableIter iter;
    gpointer name, text;
    for (g_hash_table_iter_init(&iter, config->labels); g_hash_table_iter_next(&iter, &name, &text);) {
        g_hash_table_insert(pnode->labels, g_strdup(name), g_strdup(text));
    }
    return pnode;
}
