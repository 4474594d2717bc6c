/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine is and can. */
#ifndef PNODE_MACHINE_H
#define PNODE_MACHINE_H 1

#include <stdbool.h>

#include "distem/link.h"
#include "distem/platform.h"
#include "distem/pnode-daemon.h"
#include "underlay.h"

/* Returns what this machine is, in all that does not change as long as the daemon runs; the caller frees it. */
struct pnode *machine_describe(const struct pnode_config *, const struct underlay *underlay, struct link_manager *);

/* Says whether the kernel has Open vSwitch's datapath, after trying to load its module. */
bool machine_has_kernel_datapath(void);

/* Loads the kernel modules that shaping and containers need, where there are any. */
void machine_load_modules(void);

/* Loads kernel module 'name', quietly; a kernel that has it built in, or has no modules, is no error. */
void machine_load_module(const char *name);

#endif
