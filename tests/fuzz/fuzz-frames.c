/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes, cut anywhere, give frames that lie inside what was received, or are refused. */
#include <config.h>

#include <string.h>

#include "distem/exec-protocol.h"
#include "src/client/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame_reader reader = {0};
    size_t step = size ? data[0] + (size_t)1 : 1, taken = 0;
    int got = 0;
    for (size_t at = 0; at < size && got >= 0; at += step) {
        struct frame frame;
        frame_reader_feed(&reader, data + at, MIN(step, size - at));
        while ((got = frame_reader_next(&reader, &frame)) == 1) {
            g_assert_cmpuint(frame.size, <=, EXEC_PAYLOAD_MAX);
            g_assert_cmpuint(frame.type, ==, data[taken]);
            g_assert_cmpint(frame.size ? memcmp(frame.payload, data + taken + EXEC_HEADER_SIZE, frame.size) : 0, ==, 0);
            taken += EXEC_HEADER_SIZE + frame.size;
        }
    }
    frame_reader_clear(&reader);
    return 0;
}
