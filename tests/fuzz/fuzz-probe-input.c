/* SPDX-License-Identifier: Apache-2.0 */
/* The prober reads any bytes without a fault, and refuses with a message. */
#include <config.h>

#include <stdint.h>

#include "src/probe/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    struct probe_input *input = probe_input_parse((const char *)data, size, &error);
    g_assert(input ? !error : error && *error->message);
    probe_input_free(input);
    return 0;
}
