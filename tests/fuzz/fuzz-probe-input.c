/* SPDX-License-Identifier: Apache-2.0 */
/* The prober reads any line without a fault, and refuses with a message. */
#include <config.h>

#include <stdint.h>

#include "src/probe/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    struct probe_line line;
    if (probe_line_parse((const char *)data, size, &line, &error)) {
        g_assert(!error && !line.round == (line.message != NULL));
        probe_line_clear(&line);
    } else {
        g_assert(error && *error->message);
    }
    return 0;
}
