/* SPDX-License-Identifier: Apache-2.0 */
/* distemd: coordinator, pnode, or both. Its state is in the database and on the machine; ended at any moment and started again it
 * goes on where it was. */
#include <config.h>

#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include "distem/pnode-daemon.h"

#include "options.h"
#include "serve.h"
#include "service.h"

static int cleanup(const struct options *o)
{
    int pid;
    if (!o->dry_run && service_is_running(o->run_dir, &pid)) {
        fprintf(
            stderr,
            "distem: distemd runs (pid %d) and would build again what is cleaned up: use `distem down`, or end the daemon first\n",
            pid);
        return 1;
    }
    return pnode_cleanup(o->run_dir, o->state_dir, o->dry_run, o->json);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "C.UTF-8");
    __attribute__((cleanup(options_clear))) struct options o;
    g_autoptr(GError) error = NULL;
    if (!options_read(&argc, &argv, &o, &error)) {
        fprintf(stderr, "distemd: %s\nTry `distemd --help`.\n", error->message);
        return 2;
    }
    if (o.version) {
        puts("distemd " PACKAGE_VERSION);
        return 0;
    }
    if (o.doctor) {
        return pnode_doctor(o.json);
    }
    if (geteuid() != 0 && (o.pnode || o.cleanup)) {
        fputs("distemd: needs to be root: it makes network namespaces, devices and containers\n", stderr);
        return 1;
    }
    if (o.cleanup) {
        return cleanup(&o);
    }
    if (!serve(&o, &error)) {
        fprintf(stderr, "distemd: %s\n", error->message);
        return 1;
    }
    return 0;
}
