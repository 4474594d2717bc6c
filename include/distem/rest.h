/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP server on the daemon's loop (libmicrohttpd, no threads): a route table, JSON in and out, one form of error:
 *   {"error": {"code": "invalid", "message": "...", "details": [{"file", "line", "pointer", "message"}, ...]}} */
#ifndef DISTEM_REST_H
#define DISTEM_REST_H 1

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "distem/error.h"

struct rest_server;
struct rest_request;

/* Handles a request whose body has arrived whole. It must see to exactly one rest_reply...() or rest_upgrade(), now or later.
 * 'context' is what rest_server_new() got. */
typedef void rest_handler(struct rest_request *, void *context);

struct rest_route {
    const char *method;  /* "GET" ... */
    const char *pattern; /* "/vnodes/:vnode/exec"; ":name" matches one segment, percent-decoded. */
    rest_handler *handler;
    size_t body_limit; /* Bytes; 0: the default of 1 MiB. A larger body is answered with 413 before it is read. */
};

/* Listens on 'address' (literal IPv4 or IPv6) and 'port' (0: any free one, see rest_server_port()). 'routes' ends with a zero entry
 * and must stay. */
struct rest_server *rest_server_new(const char *address, uint16_t port, const struct rest_route *routes, void *context,
                                    GError **error);
void rest_server_free(struct rest_server *);
void rest_server_run(struct rest_server *);
void rest_server_wait(struct rest_server *);
uint16_t rest_server_port(const struct rest_server *);

/* What came: a path parameter (NULL: not in the pattern), a query parameter (NULL: absent), the body and its size (0-terminated).
 * Valid until the reply. */
const char *rest_request_param(const struct rest_request *, const char *name);
const char *rest_request_query(const struct rest_request *, const char *name);
const char *rest_request_body(const struct rest_request *, size_t *ret_size);
/* Reads the body as a JSON object; on failure replies with 400 and returns NULL. The caller owns the reference. */
json_t *rest_request_json(struct rest_request *);

/* Reply and end the request. 'body' is consumed. */
void rest_reply(struct rest_request *, unsigned status, json_t *body);
/* Replies with 'error' (freed) and, where 'problems' is not NULL, its entries as details. */
void rest_reply_error(struct rest_request *, GError *error, const struct diagnostics *problems);

/* Answers 101 with 'Upgrade: protocol' and then hands the connection's socket to 'ready', which owns it and must close it. */
typedef void rest_upgraded(int fd, void *aux);
void rest_upgrade(struct rest_request *, const char *protocol, rest_upgraded *ready, void *aux);

#endif
