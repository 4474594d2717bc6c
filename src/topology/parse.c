/* SPDX-License-Identifier: Apache-2.0 */
/* topology_parse(): text to JSON, JSON to platform. */
#include <config.h>

#include <string.h>

#include "delay-tables.h"
#include "distem/topology.h"
#include "limits.h"
#include "matrices.h"
#include "names.h"
#include "parser.h"
#include "position.h"

#define FORMAT_VERSION 2

/* A file's sections, in whatever order they stand. */
struct document {
    struct parser *parser;
    bool versioned;
    const char *name;
    enum routing routing;
    const json_t *vnetworks, *defaults, *templates, *vnodes, *vroutes, *layout, *tables, *traces, *matrix, *matrices;
};

static void free_template(void *data)
{
    struct vnode_template *template = data;
    vnode_spec_clear(&template->spec);
    g_free(template);
}

void parser_init(struct parser *parser, const char *file, struct layout *layout)
{
    *parser = (struct parser){
        .platform = platform_new(""),
        .vnetworks = g_hash_table_new(g_str_hash, g_str_equal),
        .vnodes = g_hash_table_new(g_str_hash, g_str_equal),
        .origins = g_hash_table_new(g_str_hash, g_str_equal),
        .broken = g_hash_table_new(NULL, NULL),
        .templates = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_template),
        .tables = g_hash_table_new(g_str_hash, g_str_equal),
        .taken = parser_taken_new(),
        .layout = layout,
    };
    reader_init(&parser->reader, file, "");
    parser->reader.tables = parser->tables;
    playbacks_init(&parser->playbacks, parser->platform);
    parser->reader.playbacks = &parser->playbacks;
}

void parser_clear(struct parser *parser)
{
    reader_clear(&parser->reader);
    playbacks_clear(&parser->playbacks);
    platform_free(parser->platform);
    g_hash_table_unref(parser->vnetworks);
    g_hash_table_unref(parser->vnodes);
    g_hash_table_unref(parser->origins);
    g_hash_table_unref(parser->broken);
    g_hash_table_unref(parser->templates);
    g_hash_table_unref(parser->tables);
    g_hash_table_unref(parser->taken);
    vnode_spec_clear(&parser->vnode_defaults);
}

bool parser_is_broken(const struct parser *parser, const void *object)
{
    return g_hash_table_contains(parser->broken, object);
}

static void read_version(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct document *document = target;
    document->versioned = true;
    if (!json_is_number(value) || json_number_value(value) != FORMAT_VERSION) {
        reader_problem(reader, "this version of the topology format is not known: expected %d", FORMAT_VERSION);
    }
}

static void read_name(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct document *document = target;
    g_autoptr(GError) error = NULL;
    document->name = "";
    if (reader_string(reader, value, "the platform's name", &document->name) && !names_check(document->name, &error)) {
        reader_problem(reader, "%s", error->message);
    }
}

static void read_routing(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct document *document = target;
    static const char *const words[] = {"hops", "latency", "none", NULL};
    const char *word;
    if (reader_string(reader, value, "how to route: hops, latency or none", &word) && !routing_parse(word, &document->routing)) {
        g_autofree char *shown = reader_printable(word), *hint = reader_suggestion(word, words);
        reader_problem(reader, "unknown routing \"%s\"%s: expected hops, latency or none", shown, hint);
    }
}

static void read_section(struct reader *reader G_GNUC_UNUSED, const json_t *value, void *target, unsigned index)
{
    struct document *document = target;
    const json_t **sections[] = {&document->defaults, &document->templates, &document->vnetworks, &document->vnodes,
                                 &document->vroutes,  &document->layout,    &document->tables,    &document->traces,
                                 &document->matrix,   &document->matrices};
    *sections[index - 3] = value;
}

const struct field platform_fields[] = {
    {"distem", read_version},    {"name", read_name},
    {"routing", read_routing},   {"defaults", read_section},
    {"templates", read_section}, {"vnetworks", read_section},
    {"vnodes", read_section},    {"vroutes", read_section},
    {"layout", read_section},    {"tables", read_section},
    {"traces", read_section},    {"matrix", read_section},
    {"matrices", read_section},  {NULL, NULL},
};

/* Calls 'parse' for the section at 'key', if there is one. */
static void parse_section(struct parser *parser, const char *key, const json_t *value,
                          void (*parse)(struct parser *, const json_t *))
{
    if (value) {
        size_t mark = reader_enter(&parser->reader, key);
        parse(parser, value);
        reader_leave(&parser->reader, mark);
    }
}

static void read_tables(struct parser *parser, const json_t *section)
{
    delay_tables_read(&parser->reader, section, parser->tables, parser->platform->tables);
}

static void parse_document(struct parser *parser, const json_t *json)
{
    struct document document = {.parser = parser};
    if (!reader_object(&parser->reader, json, "a topology", platform_fields, &document)) {
        return;
    }
    if (!document.versioned) {
        reader_problem(&parser->reader, "the version of the format is missing: expected \"distem\": %d", FORMAT_VERSION);
    }
    if (!document.name) {
        reader_problem(&parser->reader, "the platform's name is missing: expected \"name\": \"...\"");
    } else {
        g_free(parser->platform->name);
        parser->platform->name = g_strdup(document.name);
    }
    parser->platform->routing = document.routing;
    /* What is referred to comes before what refers to it. */
    parse_section(parser, "tables", document.tables, read_tables);
    if (document.traces) {
        size_t mark = reader_enter(&parser->reader, "traces");
        playbacks_read(&parser->playbacks, &parser->reader, document.traces);
        reader_leave(&parser->reader, mark);
    }
    parse_section(parser, "defaults", document.defaults, parser_read_defaults);
    if (document.layout && !parser->layout->given) {
        layout_read(parser->layout, document.layout, false);
    }
    parse_section(parser, "vnetworks", document.vnetworks, parser_read_vnetworks);
    layout_check_names(parser->layout, parser->vnetworks);
    parse_section(parser, "templates", document.templates, parser_read_templates);
    parse_section(parser, "vnodes", document.vnodes, parser_read_vnodes);
    parse_section(parser, "vroutes", document.vroutes, parser_read_vroutes);
    if (document.matrix) {
        size_t mark = reader_enter(&parser->reader, "matrix");
        matrices_read(&parser->reader, document.matrix, document.matrices, parser->platform);
        g_autofree char *problem = parser->platform->matrix && !parser->reader.count ? matrix_problem(parser->platform) : NULL;
        if (problem) {
            reader_problem(&parser->reader, "%s", problem);
        }
        reader_leave(&parser->reader, mark);
    }
}

static void report_duplicate(void *aux, const char *pointer, unsigned first_line, unsigned second_line G_GNUC_UNUSED)
{
    struct reader *reader = aux;
    g_string_assign(reader->pointer, pointer);
    reader_problem(reader, "this key stands in its object already, on line %u: expected every key once", first_line);
    g_string_truncate(reader->pointer, 0);
}

/* Adds the parser's complaint, with advice where it is a well-known mistake. */
static void report_syntax(const char *text, size_t size, const char *file, const json_error_t *error, struct diagnostics *problems)
{
    static const struct {
        const char *sign, *advice;
    } advices[] = {
        {"near 'NaN'", ": JSON has no NaN; write a quantity with its unit, such as \"20ms\""},
        {"near '-NaN'", ": JSON has no NaN; write a quantity with its unit, such as \"20ms\""},
        {"near 'Infinity'", ": JSON has no Infinity; leave the key out for no limit"},
        {"near '-Infinity'", ": JSON has no Infinity; leave the key out for no limit"},
        {"near '/'", ": JSON has no comments"},
        {"near '#'", ": JSON has no comments"},
        {"near '''", ": strings stand between double quotes"},
        {"UTF-8", ": expected text in UTF-8"},
        {"unable to decode byte", ": expected text in UTF-8"},
        {"near '}'", ": expected a key and a value; no comma stands before \"}\""},
        {"near ']'", ": expected a value; no comma stands before \"]\""},
        {"near end of file", ": something is missing, or a bracket or quote is not closed"},
        {"real number overflow", ": expected a number that the key's description allows"},
    };
    const char *advice = "";
    for (unsigned i = 0; i < G_N_ELEMENTS(advices) && !*advice; i++) {
        advice = strstr(error->text, advices[i].sign) ? advices[i].advice : "";
    }
    g_autofree char *pointer = position_pointer_at(text, size, error->position > 0 ? (size_t)error->position : 0);
    g_autofree char *message = g_utf8_make_valid(error->text, -1);
    diagnostics_add(problems, file, error->line > 0 ? (unsigned)error->line : 1, pointer, "this is no JSON: %s%s", message, advice);
}

/* Reads the text as JSON. Duplicate keys are problems of 'reader', and the last one counts; what is no JSON goes to 'problems'. */
static json_t *parse_json(const char *text, size_t size, struct reader *reader, struct diagnostics *problems)
{
    /* Integers as reals: 2^63 gets a message with its place and what was expected instead of a syntax error. */
    const size_t flags = JSON_DECODE_INT_AS_REAL;
    json_error_t error;
    json_t *json = json_loadb(text, size, flags | JSON_REJECT_DUPLICATES, &error);
    if (!json && json_error_code(&error) == json_error_duplicate_key) {
        json = json_loadb(text, size, flags, &error);
        if (json) {
            position_duplicates(text, size, report_duplicate, reader);
        }
    }
    if (!json) {
        report_syntax(text, size, reader->file, &error, problems);
    }
    return json;
}

/* Reads 'text' as JSON, unless that would take too much; 'reader' is where its problems belong. */
static json_t *load(const struct topology_text *text, struct reader *reader, struct diagnostics *problems)
{
    unsigned line;
    g_autofree char *refusal = limits_check(text->text, text->size, &line);
    if (refusal) {
        diagnostics_add(problems, text->file, line, NULL, "%s", refusal);
        return NULL;
    }
    return parse_json(text->text, text->size, reader, problems);
}

struct platform *topology_parse_with_layout(const struct topology_text *topology, const struct topology_text *layout_text,
                                            struct diagnostics *problems)
{
    struct platform *platform = NULL;
    struct layout layout;
    struct parser parser;
    layout_init(&layout, layout_text ? layout_text->file : topology->file, layout_text ? "" : "/layout");
    parser_init(&parser, topology->file, &layout);
    json_t *layout_json = layout_text ? load(layout_text, &layout.reader, problems) : NULL;
    json_t *json = load(topology, &parser.reader, problems);
    if (layout_json) {
        layout_read(&layout, layout_json, true);
    }
    if (json && (layout_json || !layout_text)) {
        parse_document(&parser, json);
        if (!parser.reader.count && !layout.reader.count) {
            platform = g_steal_pointer(&parser.platform);
        }
    }
    const struct topology_text *of_layout = layout_text ? layout_text : topology;
    reader_finish(&parser.reader, topology->text, topology->size, problems);
    reader_finish(&layout.reader, of_layout->text, of_layout->size, problems);
    parser_clear(&parser);
    layout_clear(&layout);
    json_decref(json);
    json_decref(layout_json);
    return platform;
}

struct platform *topology_parse(const char *text, size_t size, const char *file, struct diagnostics *problems)
{
    return topology_parse_with_layout(&(struct topology_text){text, size, file}, NULL, problems);
}
