/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a trace, of the quantity that the first byte says: nothing crashes, refusals name problems, and who follows what is
 * taken from change to change always gets on. */
#include <config.h>

#include <stdint.h>

#include "distem/playback.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_DIAGNOSTICS problems = {0};
    if (!size) {
        return 0;
    }
    enum playback_quantity quantity = *data % (PLAYBACK_LOSS + 1);
    struct playback *playback = playback_parse((const char *)data + 1, size - 1, "fuzz", quantity, &problems);
    if (!playback) {
        g_assert_cmpuint(diagnostics_count(&problems), >, 0);
        for (unsigned i = 0; i < diagnostics_count(&problems); i++) {
            g_assert_true(g_utf8_validate(diagnostics_get(&problems, i)->message, -1, NULL));
        }
        return 0;
    }
    g_assert_cmpuint(diagnostics_count(&problems), ==, 0);
    for (int64_t now = 0, changes = 0; now != PLAYBACK_NEVER && changes < 1000; changes++) {
        struct playback_moment moment = playback_at(playback, true, 0, now);
        g_assert_cmpint(moment.next, >, now);
        if (moment.next != PLAYBACK_NEVER) {
            g_assert_cmpuint(playback_at(playback, true, 0, moment.next - 1).value, ==, moment.value);
            g_assert_cmpuint(playback_at(playback, true, 0, moment.next).value, !=, moment.value);
        }
        now = moment.next;
    }
    playback_free(playback);
    return 0;
}
