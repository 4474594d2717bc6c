/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/exec-request.h"

#include <string.h>

#include "distem/error.h"

bool exec_request_parse(const json_t *body, const char ***ret_argv, bool *ret_tty, GError **error)
{
    const json_t *words = json_object_get(body, "argv");
    size_t count = json_array_size(words);
    bool usable = count > 0;
    g_autofree const char **argv = g_new0(const char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        const json_t *word = json_array_get(words, i);
        argv[i] = json_string_value(word);
        usable = usable && argv[i] && strlen(argv[i]) == json_string_length(word);
    }
    if (!usable) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"argv\" must be an array of at least one string, without zero bytes");
    }
    *ret_argv = g_steal_pointer(&argv);
    *ret_tty = json_is_true(json_object_get(body, "tty"));
    return true;
}
