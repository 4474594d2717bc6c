/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a topology file: nothing crashes, refusals name problems, and what is taken survives being written and read again.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "distem/topology.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_DIAGNOSTICS problems = {0};
    const char *text = (const char *)data;
    AUTO_PLATFORM platform = topology_parse(text, size, "fuzz.json", &problems);
    if (!platform) {
        g_assert_cmpuint(diagnostics_count(&problems), >, 0);
        for (unsigned i = 0; i < diagnostics_count(&problems); i++) {
            const struct diagnostic *problem = diagnostics_get(&problems, i);
            g_assert_true(g_utf8_validate(problem->message, -1, NULL));
            g_assert_true(!problem->pointer || g_utf8_validate(problem->pointer, -1, NULL));
            if (problem->pointer && problem->line) {
                g_assert_cmpuint(json_pointer_line(text, size, problem->pointer), <=, size + 1);
            }
        }
        return 0;
    }
    g_assert_cmpuint(diagnostics_count(&problems), ==, 0);
    /* Ranges make platforms of any size out of few bytes; small ones find the same mistakes, faster. */
    if (platform->vnodes->len > 1000) {
        return 0;
    }
    g_autofree char *written = topology_write(platform), *difference = NULL;
    AUTO_PLATFORM again = topology_parse(written, strlen(written), "written.json", &problems);
    if (!again) {
        g_autofree char *problem = diagnostic_format(diagnostics_get(&problems, 0));
        g_error("what was written is refused: %s\n%s", problem, written);
    }
    if (!topology_equal(platform, again, &difference)) {
        g_error("%s\n%s", difference, written);
    }
    return 0;
}
