/* SPDX-License-Identifier: Apache-2.0 */
/* What comes from outside the vnode module: frames of an exec client, requests, answers. */
#include <config.h>

#include <string.h>

#include "distem/exec-protocol.h"
#include "src/vnode/lxc-log.h"
#include "src/vnode/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Feeds the stream in pieces whose size the first byte says. */
static void read_frames(const uint8_t *data, size_t size)
{
    size_t piece = size ? data[0] + 1u : 1;
    struct exec_reader *reader = g_new0(struct exec_reader, 1);
    for (size_t at = 0; at <= size;) {
        uint8_t type;
        const uint8_t *payload;
        size_t length, space;
        enum exec_reader_state state;
        while ((state = exec_reader_next(reader, &type, &payload, &length)) == EXEC_READER_FRAME) {
            /* The payload has to be there in full. */
            g_free(g_memdup2(payload, length));
        }
        if (state == EXEC_READER_INVALID || at == size) {
            break;
        }
        uint8_t *to = exec_reader_space(reader, &space);
        g_assert(space);
        size_t n = MIN(MIN(space, piece), size - at);
        memcpy(to, data + at, n);
        exec_reader_added(reader, n);
        at += n;
    }
    g_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_frames(data, size);
    g_autofree char *text = g_strndup((const char *)data, size);
    AUTO_REQUEST request = {0};
    if (vnode_request_parse(text, strlen(text), &request, NULL)) {
        g_autofree char *line = vnode_request_format(&request, NULL);
        g_assert(line);
    }
    for (enum vnode_op op = VNODE_OP_START; op <= VNODE_OP_LIST; op++) {
        struct vnode_result result = {.op = op};
        vnode_answer_parse(text, strlen(text), &result);
        vnode_result_clear(&result);
    }
    g_autofree char *cause = lxc_log_cause(text);
    return 0;
}
