/* SPDX-License-Identifier: Apache-2.0 */
/* The program distem-probe: see distem/probe.h. */
#include <config.h>

#include "distem/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "distem/error.h"
#include "serve.h"

/* Enough for 100,000 tests of one round and their namespaces. */
#define FILES_WANTED 1000000

/* Thousands of tests have several sockets each. What cannot be had is reported by the test that lacks it. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) {
        return;
    }
    struct rlimit wanted = {.rlim_cur = FILES_WANTED, .rlim_max = MAX(limit.rlim_max, FILES_WANTED)};
    if (setrlimit(RLIMIT_NOFILE, &wanted)) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int complain(int status, const GError *error)
{
    g_assert(error);
    fprintf(stderr, "distem-probe: %s\n", error->message);
    return status;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (argc != 3 || strcmp(argv[1], "--netns") != 0) {
        fprintf(stderr, "usage: %s --netns DIR\ninclude/distem/probe.h describes its input and output.\n", argv[0]);
        return PROBE_EXIT_BAD_INPUT;
    }
    raise_file_limit();
    /* A page that must be fetched from a disk first would be measured, too. Without the right to do this, that may happen. */
    (void)mlockall(MCL_CURRENT);
    if (probe_serve(argv[2], STDIN_FILENO, stdout, &error)) {
        return EXIT_SUCCESS;
    }
    bool bad_input =
        g_error_matches(error, DISTEM_ERROR, DISTEM_ERROR_INVALID) || g_error_matches(error, DISTEM_ERROR, DISTEM_ERROR_TOO_LARGE);
    return complain(bad_input ? PROBE_EXIT_BAD_INPUT : EXIT_FAILURE, error);
}
