/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "distem/error.h"

bool sysctl_write(const char *name, const char *value, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/sys/net/%s", name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT || fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot open %s for writing", path);
    }
    ssize_t written = write(fd, value, strlen(value));
    int err = errno;
    close(fd);
    return written >= 0 || fail(error, DISTEM_ERROR_SYSTEM, err, "cannot write %s to %s", value, path);
}
