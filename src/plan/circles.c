/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "circles.h"

GArray *circles_find(const uint32_t *next, uint32_t n)
{
    GArray *circles = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autofree uint32_t *walk = g_new0(uint32_t, n + 1); /* Which walk (+ 1) came by; 0: none. */
    for (uint32_t start = 0; start < n; start++) {
        uint32_t i = start;
        while (i != UINT32_MAX && !walk[i]) {
            walk[i] = start + 1;
            i = next[i];
        }
        if (i != UINT32_MAX && walk[i] == start + 1) {
            g_array_append_val(circles, i);
        }
    }
    return circles;
}
