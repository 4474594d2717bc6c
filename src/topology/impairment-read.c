/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of one direction that are no plain quantities, as JSON. */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "delay-tables.h"
#include "distem/delay-table.h"
#include "distem/units.h"
#include "impairment-table.h"

#define PACKETS "packets"
#define PACKETS_LIMIT 1000000
#define QUEUE_TIME_LIMIT ((uint64_t)(60 * NS_PER_S))
#define OVERHEAD_LIMIT 1000
#define CELL_LIMIT 2048

/* Cells with a name. */
static const struct {
    const char *name;
    uint32_t payload, size;
} cells[] = {{"atm", 48, 53}, {"ptm", 64, 65}};

/* Reads one of the words of an enum. 'parse' takes and returns the enum as a number. */
static void read_word(struct reader *reader, const json_t *value, struct direction *direction, enum property property,
                      const char *what, const char *expected, const char *const *words)
{
    g_autofree char *all = g_strdup_printf("%s: %s", what, expected);
    const char *word;
    if (!reader_string(reader, value, all, &word)) {
        return;
    }
    for (unsigned i = 0; words[i]; i++) {
        if (!strcmp(word, words[i])) {
            direction_give(direction, property, i, 0);
            return;
        }
    }
    g_autofree char *shown = reader_printable(word), *hint = reader_suggestion(word, words);
    reader_problem(reader, "unknown %s \"%s\"%s: expected %s", impairment_fields[property].key, shown, hint, expected);
}

void impairment_read_distribution(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    static const char *const words[] = {"uniform", "normal", "pareto", "paretonormal", NULL};
    uint64_t id;
    if (!json_is_object(value)) {
        read_word(reader, value, target, index, "a distribution", "uniform, normal, pareto or paretonormal", words);
    } else if (delay_tables_read_property(reader, value, &id)) {
        direction_give(target, index, id, 0);
    }
}

void impairment_read_framing(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    static const char *const words[] = {"ethernet", "l2", "ip", NULL};
    read_word(reader, value, target, index, "a framing", "ethernet, l2 or ip", words);
}

void impairment_read_aqm(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    static const char *const words[] = {"droptail", "codel", "fq_codel", "pie", NULL};
    read_word(reader, value, target, index, "a way to manage the queue", "droptail, codel, fq_codel or pie", words);
}

void impairment_read_flag(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    bool flag;
    if (reader_bool(reader, value, &flag)) {
        direction_give(target, index, flag, 0);
    }
}

void impairment_read_number(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    uint32_t number;
    if (reader_integer(reader, value, 0, (uint32_t)impairment_properties[index].high, &number)) {
        direction_give(target, index, number, 0);
    }
}

void impairment_read_overhead(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    const char *text;
    uint64_t bytes;
    if (reader_is_zero(value)) {
        direction_give(target, index, 0, 0);
        return;
    }
    if (!reader_string(reader, value, "bytes per frame such as \"18B\" or \"-4B\"", &text)) {
        return;
    }
    bool less = *text == '-';
    g_autoptr(GError) error = NULL;
    if (!size_parse(text + less, &bytes, &error)) {
        reader_problem(reader, "%s", error->message);
    } else if (bytes > OVERHEAD_LIMIT) {
        g_autofree char *shown = reader_printable(text);
        reader_problem(reader, "\"%s\" is out of range: expected -%uB to %uB", shown, OVERHEAD_LIMIT, OVERHEAD_LIMIT);
    } else {
        direction_give(target, index, less ? (uint32_t)-bytes : (uint32_t)bytes, 0);
    }
}

/* Reads "48/53" as 48 and 53. */
static bool parse_cell(const char *text, uint64_t *payload, uint64_t *size)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", -1);
    return g_strv_length(parts) == 2 && g_ascii_string_to_unsigned(parts[0], 10, 1, CELL_LIMIT, payload, NULL) &&
           g_ascii_string_to_unsigned(parts[1], 10, *payload, CELL_LIMIT, size, NULL);
}

void impairment_read_cell(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    const char *text;
    uint64_t payload = 0, size = 0;
    if (!reader_string(reader, value, "\"atm\", \"ptm\", \"none\" or the bytes in a cell and of a cell such as \"48/53\"", &text)) {
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(cells); i++) {
        if (!strcmp(text, cells[i].name)) {
            payload = cells[i].payload;
            size = cells[i].size;
        }
    }
    if (!payload && strcmp(text, "none") != 0 && !parse_cell(text, &payload, &size)) {
        g_autofree char *shown = reader_printable(text);
        reader_problem(reader,
                       "\"%s\" is not a cell: expected \"atm\", \"ptm\", \"none\" or the bytes in a cell and of a cell such as "
                       "\"48/53\", at most %u",
                       shown, CELL_LIMIT);
        return;
    }
    direction_give(target, index, payload, (uint32_t)size);
}

/* Says whether 'text' counts packets: digits, spaces, then "packets" or "packet". */
static bool is_packets(const char *text)
{
    const char *rest = text + strspn(text, "0123456789");
    bool digits = rest > text;
    rest += strspn(rest, " ");
    return digits && (!strcmp(rest, PACKETS) || !strcmp(rest, "packet"));
}

void impairment_read_queue(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    static const char expected[] = "a size such as \"64kB\", a time such as \"50ms\" or a number such as \"10packets\"";
    const char *text;
    uint64_t amount, limit = impairment_properties[index].high;
    int64_t time;
    enum queue_unit unit = QUEUE_BYTES;
    if (reader_is_zero(value)) {
        direction_give(target, index, 0, QUEUE_BYTES);
        return;
    }
    if (json_is_number(value)) {
        reader_problem(reader, "a queue has a unit: expected %s", expected);
        return;
    }
    if (!reader_string(reader, value, expected, &text)) {
        return;
    }
    if (is_packets(text)) {
        amount = g_ascii_strtoull(text, NULL, 10);
        unit = QUEUE_PACKETS;
        limit = PACKETS_LIMIT;
    } else if (size_parse(text, &amount, NULL)) {
        unit = QUEUE_BYTES;
    } else if (time_parse(text, &time, NULL)) {
        amount = (uint64_t)time;
        unit = QUEUE_TIME;
        limit = QUEUE_TIME_LIMIT;
    } else {
        g_autofree char *shown = reader_printable(text);
        reader_problem(reader, "\"%s\" is not a queue: expected %s", shown, expected);
        return;
    }
    if (amount > limit) {
        g_autofree char *shown = reader_printable(text);
        reader_problem(reader, "\"%s\" is out of range: expected at most 1GiB, 60s or %upackets", shown, PACKETS_LIMIT);
        return;
    }
    direction_give(target, index, amount, amount ? unit : QUEUE_BYTES);
}

static char *cell_text(const struct impairment *i)
{
    for (unsigned n = 0; n < G_N_ELEMENTS(cells); n++) {
        if (i->cell_payload == cells[n].payload && i->cell_size == cells[n].size) {
            return g_strdup(cells[n].name);
        }
    }
    return g_strdup_printf("%u/%u", i->cell_payload, i->cell_size);
}

static char *overhead_text(const struct impairment *i)
{
    return g_strdup_printf("%" PRId32 "B", i->overhead);
}

char *impairment_queue_text(const struct impairment *i)
{
    return i->queue_unit == QUEUE_PACKETS ? g_strdup_printf("%" PRIu64 PACKETS, i->queue)
           : i->queue_unit == QUEUE_TIME  ? time_format((int64_t)i->queue)
                                          : size_format(i->queue);
}

static json_t *write_distribution(uint64_t distribution)
{
    const struct delay_table *table = delay_table_find(distribution);
    return table ? json_pack("{s:s}", "table", table->name) : json_string(distribution_name((enum distribution)distribution));
}

json_t *impairment_write_other(const struct impairment *i, enum property property)
{
    g_autofree char *text = property == CELL       ? cell_text(i)
                            : property == OVERHEAD ? overhead_text(i)
                            : property == QUEUE    ? impairment_queue_text(i)
                                                   : NULL;
    switch (property) {
    case DISTRIBUTION:
        return write_distribution(i->distribution);
    case FRAMING:
        return json_string(framing_name(i->framing));
    case AQM:
        return json_string(aqm_name(i->aqm));
    case KEEP_ORDER:
        return json_true();
    default:
        return text ? json_string(text) : json_integer((json_int_t)impairment_get(i, property));
    }
}
