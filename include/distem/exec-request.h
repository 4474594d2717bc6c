/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a request that runs a command in a vnode: {"argv": ["ls", "-l"], "tty": false}. */
#ifndef DISTEM_EXEC_REQUEST_H
#define DISTEM_EXEC_REQUEST_H 1

#include <stdbool.h>

#include <glib.h>
#include <jansson.h>

/* Reads the command's words, which end with NULL, into '*ret_argv': the caller frees the array; the strings are the body's. */
bool exec_request_parse(const json_t *body, const char ***ret_argv, bool *ret_tty, GError **error);

#endif
