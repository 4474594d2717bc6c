/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "distem/link.h"
#include "distem/pnode-daemon.h"
#include "limits.h"
#include "machine.h"

/* The size of platform that limits are checked for. */
#define DOCTOR_VNODES 1000

struct findings {
    json_t *list; /* Of {"what", "state", "hint"}; state is "ok", "low" or "missing". */
    bool missing;
};

/* Notes whether 'what' is there; 'hint' says what brings it. */
static void note(struct findings *findings, bool ok, const char *what, const char *hint)
{
    json_array_append_new(findings->list,
                          json_pack("{s:s, s:s, s:s?}", "what", what, "state", ok ? "ok" : "MISSING", "hint", ok ? NULL : hint));
    findings->missing = findings->missing || !ok;
}

/* Notes limits that only large platforms meet. */
static void note_limits(struct findings *findings)
{
    g_autoptr(GPtrArray) limits = machine_limits_check(DOCTOR_VNODES);
    for (unsigned i = 0; i < limits->len; i++) {
        json_array_append_new(findings->list, json_pack("{s:s, s:s, s:s}", "what", "limit for 1,000 vnodes", "state", "low", "hint",
                                                        (char *)limits->pdata[i]));
    }
    if (!limits->len) {
        note(findings, true, "limits for 1,000 vnodes", NULL);
    }
}

static void check_programs(struct findings *findings)
{
    static const struct {
        const char *program, *package;
    } programs[] = {
        {"ovs-vswitchd", "openvswitch-switch"},
        {"ovsdb-server", "openvswitch-switch"},
        {"ovsdb-tool", "openvswitch-common"},
        {"modprobe", "kmod"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(programs); i++) {
        g_autofree char *path = g_find_program_in_path(programs[i].program);
        g_autofree char *sbin = g_build_filename("/usr/sbin", programs[i].program, NULL);
        g_autofree char *what = g_strdup_printf("program %s", programs[i].program);
        g_autofree char *hint = g_strdup_printf("install the package %s", programs[i].package);
        note(findings, path || access(sbin, X_OK) == 0, what, hint);
    }
}

/* Notes the features of the kernel that are missing, or that what needs them, 'what', is there. NULL: 'error' says why not. */
static void note_features(struct findings *findings, GPtrArray *missing, const char *what, const GError *error)
{
    for (unsigned i = 0; missing && i < missing->len; i++) {
        const char *hint = missing->pdata[i];
        g_autofree char *feature = g_strdup_printf("kernel %.*s", (int)strcspn(hint, ":"), hint);
        note(findings, false, feature, hint);
    }
    if (!missing || !missing->len) {
        note(findings, missing, what, missing ? NULL : error->message);
    }
}

static void check_kernel(struct findings *findings)
{
    g_autoptr(GError) error = NULL, matrix_error = NULL, blackout_error = NULL;
    g_autoptr(GPtrArray) missing = link_missing_features(&error);
    g_autoptr(GPtrArray) for_matrices = link_missing_for_matrices(&matrix_error);
    g_autoptr(GPtrArray) for_blackouts = link_missing_for_blackouts(&blackout_error);
    note_features(findings, missing, "kernel traffic control", error);
    note_features(findings, for_matrices, "kernel latency matrices", matrix_error);
    note_features(findings, for_blackouts, "kernel blackouts in traces", blackout_error);
    note(findings, machine_has_kernel_datapath(), "kernel openvswitch",
         "openvswitch: kernel module openvswitch; without it nothing can be shaped");
    g_autofree char *filesystems = NULL;
    bool overlay = g_file_get_contents("/proc/filesystems", &filesystems, NULL, NULL) && g_strrstr(filesystems, "\toverlay\n");
    note(findings, overlay, "kernel overlayfs", "overlay: kernel module overlay");
    note(findings, access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 || access("/sys/fs/cgroup/pids", F_OK) == 0,
         "control groups", "mount cgroup2 on /sys/fs/cgroup");
}

int pnode_doctor(bool json)
{
    struct findings findings = {.list = json_array()};
    note(&findings, geteuid() == 0, "root privileges", "run as root");
    check_programs(&findings);
    if (geteuid() == 0) {
        machine_load_modules();
        check_kernel(&findings);
    }
    note_limits(&findings);

    if (json) {
        json_t *all = json_pack("{s:b, s:O}", "ok", !findings.missing, "checks", findings.list);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
    } else {
        size_t i;
        json_t *check;
        json_array_foreach (findings.list, i, check) {
            const char *hint = json_string_value(json_object_get(check, "hint"));
            printf("%-8s %s\n", json_string_value(json_object_get(check, "state")),
                   json_string_value(json_object_get(check, "what")));
            if (hint) {
                printf("         %s\n", hint);
            }
        }
        printf("%s\n", findings.missing ? "This machine lacks what is marked MISSING." : "This machine has all that distem needs.");
    }
    json_decref(findings.list);
    return findings.missing;
}
