/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "distem/link.h"
#include "distem/log.h"
#include "distem/pnode-daemon.h"

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

struct pnode *machine_describe(const char *name)
{
    struct pnode *pnode = pnode_new(name);
    pnode->cores = (uint32_t)get_nprocs();
    pnode->frequency = core_frequency();
    pnode->memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

    static const char *const modules[] = {"sch_netem", "sch_htb", "sch_ingress", "cls_u32", "act_mirred", "ifb", "veth", "overlay"};
    for (unsigned i = 0; i < G_N_ELEMENTS(modules); i++) {
        machine_load_module(modules[i]);
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) missing = link_missing_features(&error);
    if (!missing) {
        log_warning("pnode", "cannot tell what the kernel can do", "error=\"%s\"", error->message);
        return pnode;
    }
    if (!machine_has_kernel_datapath()) {
        g_ptr_array_add(missing, g_strdup("openvswitch datapath: kernel module openvswitch"));
    }
    if (missing->len) {
        g_ptr_array_add(missing, NULL);
        pnode->missing = g_strjoinv("; ", (char **)missing->pdata);
    }
    return pnode;
}
