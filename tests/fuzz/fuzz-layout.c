/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the layout of a topology: nothing crashes, refusals name problems of the layout, and what comes out is a topology.
 */
#include <config.h>

#include <stdint.h>
#include <string.h>

#include "distem/topology.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] =
        "{\"distem\": 2, \"name\": \"x\", \"vnetworks\": {\"a\": {\"ipv4\": \"10.0.0.0/24\", \"vni\": 5, \"mtu\": "
        "1400}, \"b\": {\"ipv6\": \"fd00::/64\", \"vlan\": 7, \"interface\": \"eth1\"}, \"c\": {\"ipv4\": "
        "\"10.0.1.0/24\"}}}";
    AUTO_DIAGNOSTICS problems = {0};
    const struct topology_text topology = {text, strlen(text), "fuzz.json"}, layout = {(const char *)data, size, "layout.json"};
    AUTO_PLATFORM platform = topology_parse_with_layout(&topology, &layout, &problems);
    if (!platform) {
        g_assert_cmpuint(diagnostics_count(&problems), >, 0);
        for (unsigned i = 0; i < diagnostics_count(&problems); i++) {
            const struct diagnostic *problem = diagnostics_get(&problems, i);
            g_assert_true(g_utf8_validate(problem->message, -1, NULL));
            g_assert_true(!problem->pointer || g_utf8_validate(problem->pointer, -1, NULL));
        }
        return 0;
    }
    g_assert_cmpuint(diagnostics_count(&problems), ==, 0);
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
