/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "position.h"

#include <stdbool.h>
#include <string.h>

#include "distem/topology.h"

/* An object or array that the scanner is in. */
struct frame {
    bool is_array;
    size_t index;          /* In an array: of the next value. */
    size_t pointer_length; /* Of its own pointer. */
    GHashTable *keys;      /* In an object, once asked for: key -> line of its value. */
};

struct scanner {
    const char *next, *end;
    unsigned line;
    GString *pointer; /* Of the value that was met last, or of the container that ended last. */
    GArray *frames;   /* Of struct frame. */
    bool key_expected;
    GString *key; /* The last key, decoded. */
};

static void frame_clear(void *data)
{
    const struct frame *frame = data;
    if (frame->keys) {
        g_hash_table_unref(frame->keys);
    }
}

static void scanner_init(struct scanner *s, const char *text, size_t size)
{
    *s = (struct scanner){.next = text,
                          .end = text + size,
                          .line = 1,
                          .pointer = g_string_new(NULL),
                          .frames = g_array_new(FALSE, TRUE, sizeof(struct frame)),
                          .key = g_string_new(NULL)};
    g_array_set_clear_func(s->frames, frame_clear);
}

static void scanner_clear(struct scanner *s)
{
    g_string_free(s->pointer, TRUE);
    g_string_free(s->key, TRUE);
    g_array_unref(s->frames);
}

static struct frame *innermost(const struct scanner *s)
{
    return s->frames->len ? &g_array_index(s->frames, struct frame, s->frames->len - 1) : NULL;
}

void position_append_key(GString *pointer, const char *key)
{
    g_string_append_c(pointer, '/');
    for (const char *c = key; *c; c++) {
        if (*c == '~') {
            g_string_append(pointer, "~0");
        } else if (*c == '/') {
            g_string_append(pointer, "~1");
        } else {
            g_string_append_c(pointer, *c);
        }
    }
}

/* Reads four hexadecimal digits; -1 where there are none. */
static int hex4(const char *c, const char *end)
{
    int value = 0;
    for (int i = 0; i < 4; i++, c++) {
        int digit = c < end ? g_ascii_xdigit_value(*c) : -1;
        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
    }
    return value;
}

/* Appends the character of the escape sequence at 'c', behind its backslash, to 'out'. Returns the place behind it. */
static const char *unescape(const char *c, const char *end, GString *out)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    int code = *c == 'u' ? hex4(c + 1, end) : -1;
    if (code < 0) {
        const char *letter = memchr(letters, *c, sizeof letters - 1);
        g_string_append_c(out, letter ? meanings[letter - letters] : *c);
        return c + 1;
    }
    c += 5;
    if ((code & 0xfc00) == 0xd800 && end - c >= 6 && c[0] == '\\' && c[1] == 'u') {
        int low = hex4(c + 2, end);
        if ((low & 0xfc00) == 0xdc00) {
            code = 0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff));
            c += 6;
        }
    }
    g_string_append_unichar(out, (gunichar)code);
    return c;
}

/* Moves behind the string that begins at 's->next'; decodes it to s->key when it is a key. */
static void scan_string(struct scanner *s)
{
    GString *out = s->key_expected ? s->key : NULL;
    if (out) {
        g_string_truncate(out, 0);
    }
    const char *c = s->next + 1;
    while (c < s->end && *c != '"') {
        if (*c == '\\' && c + 1 < s->end) {
            if (out) {
                c = unescape(c + 1, s->end, out);
            } else {
                c += 2;
            }
            continue;
        }
        s->line += *c == '\n';
        if (out) {
            g_string_append_c(out, *c);
        }
        c++;
    }
    s->next = c < s->end ? c + 1 : c;
}

/* Sets the pointer to that of the value that begins here. */
static void begin_value(struct scanner *s)
{
    struct frame *frame = innermost(s);
    if (frame && frame->is_array) {
        g_string_truncate(s->pointer, frame->pointer_length);
        g_string_append_printf(s->pointer, "/%zu", frame->index);
    }
}

static void scan_scalar(struct scanner *s)
{
    while (s->next < s->end && !strchr(" \t\r\n,:{}[]\"", *s->next)) {
        s->next++;
    }
}

static void open_container(struct scanner *s, bool is_array)
{
    struct frame frame = {.is_array = is_array, .pointer_length = s->pointer->len};
    g_array_append_val(s->frames, frame);
    s->key_expected = !is_array;
    s->next++;
}

static void close_container(struct scanner *s)
{
    struct frame *frame = innermost(s);
    if (frame) {
        g_string_truncate(s->pointer, frame->pointer_length);
        g_array_set_size(s->frames, s->frames->len - 1);
    }
    s->key_expected = false;
    s->next++;
}

static void next_member(struct scanner *s)
{
    struct frame *frame = innermost(s);
    if (frame) {
        g_string_truncate(s->pointer, frame->pointer_length);
        frame->index++;
        s->key_expected = !frame->is_array;
    }
    s->next++;
}

/* Moves on to the next value, whose pointer and line are then in the scanner; false at the end. '*ret_container' says that the
 * value was an object or array, which is the innermost frame now. */
static bool scan_value(struct scanner *s, unsigned *ret_line, bool *ret_container)
{
    while (s->next < s->end) {
        *ret_line = s->line;
        *ret_container = false;
        switch (*s->next) {
        case '\n':
            s->line++;
            s->next++;
            break;
        case ' ':
        case '\t':
        case '\r':
        case ':':
            s->next++;
            break;
        case ',':
            next_member(s);
            break;
        case '}':
        case ']':
            close_container(s);
            break;
        case '{':
        case '[':
            begin_value(s);
            open_container(s, *s->next == '[');
            *ret_container = true;
            return true;
        case '"': {
            bool key = s->key_expected;
            scan_string(s);
            if (key) {
                position_append_key(s->pointer, s->key->str);
                s->key_expected = false;
                break;
            }
            begin_value(s);
            return true;
        }
        case '\0':
            s->next++;
            break;
        default:
            begin_value(s);
            scan_scalar(s);
            return true;
        }
    }
    return false;
}

void position_lines(const char *text, size_t size, GHashTable *lines)
{
    struct scanner s;
    scanner_init(&s, text, size);
    unsigned line;
    bool container;
    while (scan_value(&s, &line, &container)) {
        char *key;
        if (g_hash_table_lookup_extended(lines, s.pointer->str, (void **)&key, NULL)) {
            g_hash_table_steal(lines, key);
            g_hash_table_insert(lines, key, GUINT_TO_POINTER(line));
        }
    }
    scanner_clear(&s);
}

unsigned json_pointer_line(const char *text, size_t size, const char *pointer)
{
    g_autoptr(GHashTable) lines = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(lines, (void *)pointer, NULL);
    position_lines(text, size, lines);
    return GPOINTER_TO_UINT(g_hash_table_lookup(lines, pointer));
}

char *position_pointer_at(const char *text, size_t size, size_t offset)
{
    struct scanner s;
    scanner_init(&s, text, MIN(offset, size));
    unsigned line;
    bool container;
    while (scan_value(&s, &line, &container)) {
    }
    char *pointer = g_utf8_make_valid(s.pointer->str, (gssize)s.pointer->len);
    scanner_clear(&s);
    return pointer;
}

void position_duplicates(const char *text, size_t size, position_duplicate *found, void *aux)
{
    struct scanner s;
    scanner_init(&s, text, size);
    unsigned line;
    bool container;
    while (scan_value(&s, &line, &container)) {
        unsigned around = s.frames->len - container;
        struct frame *frame = around ? &g_array_index(s.frames, struct frame, around - 1) : NULL;
        if (!frame || frame->is_array) {
            continue;
        }
        if (!frame->keys) {
            frame->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        }
        unsigned first = GPOINTER_TO_UINT(g_hash_table_lookup(frame->keys, s.key->str));
        if (first) {
            found(aux, s.pointer->str, first, line);
        } else {
            g_hash_table_insert(frame->keys, g_strdup(s.key->str), GUINT_TO_POINTER(line));
        }
    }
    scanner_clear(&s);
}
