/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/rest share. */
#ifndef DISTEM_REST_INTERNAL_H
#define DISTEM_REST_INTERNAL_H 1

#include <microhttpd.h>

#include "distem/rest.h"

#define REST_CONNECTION_LIMIT 512         /* Open at once; more wait to be accepted. */
#define REST_BODY_LIMIT ((size_t)1 << 20) /* Where a route sets none. */

struct rest_server {
    struct MHD_Daemon *daemon;
    const struct rest_route *routes;
    void *context;
    bool loopback;        /* Bound to a loopback address. */
    uint16_t port;        /* Listened on. */
    bool resumed;         /* A suspended request goes on in the next rest_server_run(), which must come soon. */
    bool full;            /* As many connections as may be: MHD does not accept any more. */
    GHashTable *requests; /* Of struct rest_request, as a set: all that MHD has not ended. */
};

enum request_state {
    REQUEST_READING,   /* The body is coming in. */
    REQUEST_DRAINING,  /* Refused in the middle of its body; the rest is thrown away. */
    REQUEST_HANDLING,  /* In the handler. */
    REQUEST_SUSPENDED, /* The handler has returned without a reply. */
    REQUEST_REPLIED,   /* 'response' is set. */
};

struct rest_request {
    struct rest_server *server;
    struct MHD_Connection *connection;
    const struct rest_route *route;
    enum request_state state;
    char *method, *path; /* As they came, for the log. */
    int64_t start;       /* Monotonic, us. */
    GHashTable *params, *queries;
    GString *body;
    size_t drained;
    struct MHD_Response *response;
    unsigned status;
    rest_upgraded *ready; /* Not called yet, when not NULL. */
    void *ready_aux;
};

/* request.c */

/* Begins the request 'method' 'path' on 'connection': checks who asks, finds the route, and looks at the announced size. When it
 * is refused, it has its reply already. */
struct rest_request *request_new(struct rest_server *, struct MHD_Connection *connection, const char *method, const char *path);
void request_free(struct rest_request *);
/* Takes a piece of the body. Returns false when the connection must be closed. */
bool request_append(struct rest_request *, const char *data, size_t size);
/* Calls the handler; afterwards there is a reply or the request is suspended. */
void request_handle(struct rest_request *);
/* Lets a suspended request go on, at the next rest_server_run(). */
void request_resume(struct rest_request *);

/* reply.c */

/* Replies with a JSON error under a status of its own; 'allow' (may be NULL) becomes the header of that name. */
void reply_failure(struct rest_request *, unsigned status, int code, const char *message, const char *allow);
/* Sends the answer 413 past MHD, which takes no reply in the middle of a body, and ends our half of the connection. */
void reply_too_large_midway(struct rest_request *);

/* route.c: pure. */

/* Decodes "%41" in the 'size' bytes at 'text'. Returns the text, to be freed, or NULL with an error when it is malformed or not
 * UTF-8 without zeros. */
char *percent_decode(const char *text, size_t size, GError **error);
/* Finds the route for 'method' and the still encoded 'path'. Fails with DISTEM_ERROR_NOT_FOUND, or DISTEM_ERROR_INVALID, then with
 * the methods that would fit in '*ret_allow', to be freed, when only the method does not. On success '*ret_params' is a new table
 * of the path's parameters. */
const struct rest_route *route_find(const struct rest_route *routes, const char *method, const char *path, GHashTable **ret_params,
                                    char **ret_allow, GError **error);
/* Says whether the value of a header Host ("localhost:4567", "[::1]") names this machine by loopback. */
bool host_is_loopback(const char *host);
/* Says whether the value of a header Origin is the site 'host' itself. */
bool origin_is_host(const char *origin, const char *host);

#endif
