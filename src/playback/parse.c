/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "distem/platform.h"
#include "distem/playback.h"

#include "opportunities.h"

#define PROBLEMS_MOST 20 /* After so many the rest is not read. */
#define WORDS_MOST 2
#define WORD_MOST 40 /* Bytes. */
#define BITS_PER_BYTE 8
#define DECIMAL 10
#define OPPORTUNITY_MS_MOST ((uint64_t)(PLAYBACK_LENGTH_MOST / NS_PER_MS))

static bool parse_latency(const char *text, uint64_t *ret, GError **error)
{
    int64_t ns;
    bool ok = time_parse(text, &ns, error);
    *ret = ok ? (uint64_t)ns : 0;
    return ok;
}

static bool parse_loss(const char *text, uint64_t *ret, GError **error)
{
    uint32_t ppb;
    bool ok = percent_parse(text, &ppb, error);
    *ret = ok ? ppb : 0;
    return ok;
}

static const struct quantity {
    bool (*parse)(const char *text, uint64_t *ret, GError **error);
    uint64_t low, high; /* Of a value other than 0. */
    const char *range;
    const char *example;
} quantities[] = {
    [PLAYBACK_BANDWIDTH] = {rate_parse, BANDWIDTH_LEAST, BANDWIDTH_LIMIT, "0, or 1kbit/s to 10Gbit/s", "1.5s 10Mbit/s"},
    [PLAYBACK_LATENCY] = {parse_latency, 0, LATENCY_LIMIT, "at most 3600s", "1.5s 20ms"},
    [PLAYBACK_LOSS] = {parse_loss, 0, PPB_ONE, "0% to 100%", "1.5s 0.5%"},
};

struct reading {
    const struct quantity *quantity;
    const char *file;
    unsigned line;
    struct diagnostics *problems;
    unsigned count;            /* Of problems. */
    bool begun, opportunities; /* A line was read; it was one of Mahimahi's. */
    bool ended;
    int64_t last;              /* Of the times so far, ns. */
    GArray *moments;           /* Of int64_t: Mahimahi's, in ms. */
    struct playback *playback; /* What was read so far. */
};

static void problem(struct reading *, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void problem(struct reading *reading, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    diagnostics_add(reading->problems, reading->file, reading->line, NULL, "%s", message);
    reading->count++;
}

/* Says whether 'at' may follow the times so far. */
static bool check_time(struct reading *reading, const char *word, int64_t at)
{
    if (!reading->playback->steps->len && at != 0) {
        problem(reading, "the first time is \"%s\": expected 0, as a trace says from its start on what holds", word);
    } else if (reading->playback->steps->len && at < reading->last + PLAYBACK_GAP_LEAST) {
        g_autofree char *last = time_format(reading->last);
        problem(reading, "time \"%s\" is not at least 1ms after %s, the one before: expected that, as changes are timed to 1ms",
                word, last);
    } else if (at > PLAYBACK_LENGTH_MOST) {
        problem(reading, "time \"%s\" is out of range: expected at most 366 days", word);
    } else {
        return true;
    }
    return false;
}

static bool check_value(struct reading *reading, const char *word, uint64_t value)
{
    const struct quantity *quantity = reading->quantity;
    if (value && (value < quantity->low || value > quantity->high)) {
        problem(reading, "\"%s\" is out of range: expected %s", word, quantity->range);
    } else if (quantity == &quantities[PLAYBACK_BANDWIDTH] && value % BITS_PER_BYTE) {
        problem(reading,
                "bandwidth \"%s\" is no whole number of bytes per second, which the kernel counts in: expected %" PRIu64
                "bit/s, for example",
                word, value - value % BITS_PER_BYTE);
    } else {
        return true;
    }
    return false;
}

/* Reads the line "TIME VALUE" or "TIME end". */
static void read_step(struct reading *reading, const char *time, const char *word)
{
    g_autoptr(GError) error = NULL;
    int64_t at;
    uint64_t value = 0;
    bool end = !strcmp(word, "end");
    if (!time_parse(time, &at, &error) || (!end && !reading->quantity->parse(word, &value, &error))) {
        problem(reading, "%s", error->message);
        return;
    }
    if (!check_time(reading, time, at) || (!end && !check_value(reading, word, value))) {
        return;
    }
    if (end && !reading->playback->steps->len) {
        problem(reading, "the trace ends before it says anything: expected a line such as \"0 %s\" first",
                strchr(reading->quantity->example, ' ') + 1);
        return;
    }
    reading->last = at;
    reading->ended = end;
    if (end) {
        reading->playback->length = at;
    } else {
        playback_add_step(reading->playback, at, value);
    }
}

/* Reads a line of Mahimahi's. */
static void read_opportunity(struct reading *reading, const char *word)
{
    guint64 ms;
    if (!g_ascii_string_to_unsigned(word, DECIMAL, 0, OPPORTUNITY_MS_MOST, &ms, NULL)) {
        problem(reading, "\"%s\" is no moment at which a packet may pass: expected whole milliseconds, up to 366 days", word);
        return;
    }
    if ((int64_t)ms * NS_PER_MS < reading->last) {
        problem(reading, "moment %s is before %" PRId64 ", the last one: expected that they do not decrease", word,
                reading->last / NS_PER_MS);
        return;
    }
    reading->last = (int64_t)ms * NS_PER_MS;
    int64_t moment = MAX((int64_t)ms, 1);
    g_array_append_val(reading->moments, moment);
}

static void end_opportunities(struct reading *reading)
{
    if (!reading->last) {
        problem(reading, "the trace has no length: expected a last moment after 0");
        return;
    }
    int64_t fast = opportunities_reduce(reading->moments, reading->playback);
    if (fast) {
        reading->line = 0;
        problem(reading, "the moments up to %" PRId64 " make more than 10Gbit/s: expected at most that", fast);
    }
}

static void read_words(struct reading *reading, const char *const *words, unsigned count)
{
    bool opportunity = count == 1 && words[0][strspn(words[0], "0123456789")] == '\0';
    if (!reading->begun) {
        reading->begun = true;
        reading->opportunities = opportunity;
        if (opportunity && reading->quantity != &quantities[PLAYBACK_BANDWIDTH]) {
            problem(reading, "moments at which packets may pass make a bandwidth only: expected lines such as \"%s\"",
                    reading->quantity->example);
            reading->count = PROBLEMS_MOST;
            return;
        }
    }
    if (reading->ended) {
        problem(reading, "the trace goes on after its end: expected \"end\" in the last line");
        reading->count = PROBLEMS_MOST;
    } else if (reading->opportunities && count == 1) {
        read_opportunity(reading, words[0]);
    } else if (!reading->opportunities && count == WORDS_MOST) {
        read_step(reading, words[0], words[1]);
    } else if (reading->opportunities) {
        problem(reading, "a line has %u words: expected one, as in the lines before", count);
    } else {
        problem(reading, "a line has %u word%s: expected a time and a value, such as \"%s\"", count, count == 1 ? "" : "s",
                reading->quantity->example);
    }
}

static const char blanks[] = " \t\r";

/* Says whether a line that is read has nothing but plain text in it, and adds a problem if not. */
static bool check_characters(struct reading *reading, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (!g_ascii_isprint(*c) && !strchr(blanks, *c)) {
            problem(reading, "the line has a byte 0x%02x: expected plain text, but in comments", (unsigned char)*c);
            return false;
        }
    }
    return true;
}

/* Makes one comma that stands between two words a blank. */
static void drop_comma(char *text)
{
    char *comma = strchr(text, ',');
    if (comma && comma != text + strspn(text, blanks) && comma[1 + strspn(comma + 1, blanks)]) {
        *comma = ' ';
    }
}

/* Reads the line 'text', which it changes. */
static void read_line(struct reading *reading, char *text)
{
    const char *words[WORDS_MOST];
    unsigned count = 0;
    text[strcspn(text, "#")] = '\0';
    if (!check_characters(reading, text)) {
        return;
    }
    drop_comma(text);
    for (char *word = text + strspn(text, blanks); *word; word += strspn(word, blanks)) {
        size_t length = strcspn(word, blanks);
        if (length > WORD_MOST) {
            problem(reading, "a word has %zu characters: expected at most %d", length, WORD_MOST);
            return;
        }
        if (count < WORDS_MOST) {
            words[count] = word;
        }
        count++;
        word += length;
        if (*word) {
            *word++ = '\0';
        }
    }
    if (count) {
        read_words(reading, words, count);
    }
}

static void read_lines(struct reading *reading, const char *text, size_t size)
{
    for (const char *end = text + size; text < end && reading->count < PROBLEMS_MOST;) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((newline ? newline : end) - text);
        reading->line++;
        if (memchr(text, '\0', length)) {
            problem(reading, "the line has a byte 0: expected text");
        } else {
            g_autofree char *line = g_strndup(text, length);
            read_line(reading, line);
        }
        text += length + 1;
    }
    if (!reading->count && reading->opportunities) {
        end_opportunities(reading);
    } else if (!reading->count && !reading->playback->steps->len) {
        reading->line = 0;
        problem(reading, "the trace is empty: expected lines such as \"%s\"", reading->quantity->example);
    }
}

struct playback *playback_parse(const char *text, size_t size, const char *file, enum playback_quantity quantity,
                                struct diagnostics *problems)
{
    struct reading reading = {.quantity = &quantities[quantity], .file = file, .problems = problems};
    if (size > PLAYBACK_TEXT_MOST) {
        problem(&reading, "the trace has %zu bytes: expected at most 16MiB", size);
        return NULL;
    }
    reading.playback = g_new0(struct playback, 1);
    reading.playback->steps = g_array_new(FALSE, FALSE, sizeof(struct playback_step));
    g_autoptr(GArray) moments = reading.moments = g_array_new(FALSE, FALSE, sizeof(int64_t));
    read_lines(&reading, text, size);
    if (reading.count) {
        g_clear_pointer(&reading.playback, playback_free);
    }
    return reading.playback;
}

void playback_free(struct playback *playback)
{
    if (playback) {
        g_array_unref(playback->steps);
        g_free(playback);
    }
}
