/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request and its answer. */
#include <config.h>

#include "internal.h"

#include <string.h>

#define CONNECT_TIMEOUT_MS 5000L
#define ANSWER_SIZE_LIMIT ((size_t)1 << 30)

const char *distem_version(void)
{
    return PACKAGE_VERSION;
}

struct distem *distem_open(const char *url, struct distem_error *error)
{
    static gsize initialised;
    if (g_once_init_enter(&initialised)) {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        g_once_init_leave(&initialised, 1);
    }
    if (!url) {
        url = g_getenv("DISTEM_URL");
    }
    if (!url || !*url) {
        url = DISTEM_DEFAULT_URL;
    }
    if (!g_str_has_prefix(url, "http://") && !g_str_has_prefix(url, "https://")) {
        client_fail(error, "invalid", "\"%s\" is no URL of a daemon: write it like %s", url, DISTEM_DEFAULT_URL);
        return NULL;
    }
    struct distem *client = g_new0(struct distem, 1);
    client->url = g_strdup(url);
    for (size_t size = strlen(client->url); client->url[size - 1] == '/'; size--) {
        client->url[size - 1] = '\0';
    }
    client->curl = curl_easy_init();
    g_assert(client->curl);
    return client;
}

void distem_close(struct distem *client)
{
    if (client) {
        curl_easy_cleanup(client->curl);
        g_free(client->url);
        g_free(client);
    }
}

const char *distem_url(const struct distem *client)
{
    return client->url;
}

char *client_encode(const char *text)
{
    return g_uri_escape_string(text, NULL, FALSE);
}

bool client_fail_connection(struct distem_error *error, const char *url, CURL *curl, CURLcode code, const char *reason)
{
    long errnum = 0;
    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &errnum);
    g_autofree char *text = g_strdup(errnum ? g_strerror((int)errnum) : *reason ? reason : curl_easy_strerror(code));
    *text = g_ascii_tolower(*text);
    return client_fail(error, "unreachable", "no answer from %s (%s)", url, text);
}

static size_t collect(char *data, size_t unit, size_t count, void *aux)
{
    GString *answer = aux;
    size_t size = unit * count;
    if (size > ANSWER_SIZE_LIMIT - answer->len) {
        return 0;
    }
    g_string_append_len(answer, data, (gssize)size);
    return size;
}

json_t *client_request(struct distem *client, const char *method, const char *path, const char *body, size_t size,
                       struct distem_error *error)
{
    CURL *curl = client->curl;
    g_autofree char *url = g_strconcat(client->url, path, NULL);
    g_autoptr(GString) answer = g_string_new(NULL);
    char reason[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_reset(curl); /* Keeps the connection. */
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    }
    CURLcode code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        client_fail_connection(error, client->url, curl, code, reason);
        return NULL;
    }
    long status;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 300) {
        client_fail_answer(error, status, answer->str, answer->len);
        return NULL;
    }
    json_t *value = json_loadb(answer->str, answer->len, 0, NULL);
    if (!value) {
        client_fail(error, "system", "%s answered %s %s with something that is not JSON: is it distemd?", client->url, method,
                    path);
    }
    return value;
}
