/* SPDX-License-Identifier: Apache-2.0 */
/* The program distem-probe: see distem/probe.h. */
#include <config.h>

#include "distem/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "distem/error.h"
#include "input.h"
#include "measure.h"

/* Enough for 100,000 tests of one round and their namespaces. */
#define FILES_WANTED 1000000
#define INPUT_MAX (256 << 20)

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

/* Reads all of 'fd'. Returns NULL with an error; the caller frees. */
static GByteArray *read_all(int fd, GError **error)
{
    g_autoptr(GByteArray) text = g_byte_array_new();
    for (;;) {
        guint8 buffer[65536];
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot read standard input");
            return NULL;
        }
        if (n == 0) {
            return g_steal_pointer(&text);
        }
        if (text->len + (size_t)n > INPUT_MAX) {
            fail(error, DISTEM_ERROR_TOO_LARGE, 0, "standard input has more than %d MiB", INPUT_MAX >> 20);
            return NULL;
        }
        g_byte_array_append(text, buffer, (guint)n);
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
    if (argc > 1) {
        fprintf(stderr, "usage: %s < TESTS.json\nIt takes no arguments; include/distem/probe.h describes its input and output.\n",
                argv[0]);
        return PROBE_EXIT_BAD_INPUT;
    }
    g_autoptr(GByteArray) text = read_all(STDIN_FILENO, &error);
    if (!text) {
        return complain(PROBE_EXIT_BAD_INPUT, error);
    }
    struct probe_input *input = probe_input_parse((const char *)text->data, text->len, &error);
    if (!input) {
        return complain(PROBE_EXIT_BAD_INPUT, error);
    }
    raise_file_limit();
    /* A page that must be fetched from a disk first would be measured, too. Without the right to do this, that may happen. */
    (void)mlockall(MCL_CURRENT);
    bool ok = measure(input, stdout, &error);
    probe_input_free(input);
    return ok ? EXIT_SUCCESS : complain(EXIT_FAILURE, error);
}
