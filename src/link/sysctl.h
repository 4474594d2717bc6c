/* SPDX-License-Identifier: Apache-2.0 */
/* Sysctls of the network namespace that the process is in. */
#ifndef LINK_SYSCTL_H
#define LINK_SYSCTL_H 1

#include <stdbool.h>

#include <glib.h>

/* Writes 'value' to /proc/sys/net/'name'. One that this kernel does not have is no error (IPv6 may be missing altogether; what
 * needs it will say so). */
bool sysctl_write(const char *name, const char *value, GError **error);

#endif
