/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "library.h"

#include <signal.h>
#include <stdbool.h>

#include "openvswitch/vlog.h"

void library_init(void)
{
    static bool done;
    if (done) {
        return;
    }
    done = true;
    vlog_set_levels(NULL, VLF_SYSLOG, VLL_OFF);
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_ERR);
    signal(SIGPIPE, SIG_IGN);
}
