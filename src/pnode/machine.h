/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine is and can. */
#ifndef PNODE_MACHINE_H
#define PNODE_MACHINE_H 1

#include <stdbool.h>

#include "distem/platform.h"

/* Returns a struct pnode named 'name' with cores, frequency, memory and missing features; the caller frees it. */
struct pnode *machine_describe(const char *name);

/* Says whether the kernel has Open vSwitch's datapath, after trying to load its module. */
bool machine_has_kernel_datapath(void);

/* Loads kernel module 'name', quietly; a kernel that has it built in, or has no modules, is no error. */
void machine_load_module(const char *name);

#endif
