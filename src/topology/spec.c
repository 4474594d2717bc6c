/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "spec.h"

#include <string.h>

#include "distem/units.h"
#include "labels.h"
#include "names.h"

#define CORES_LIMIT 4096
#define FREQUENCY_LEAST UINT64_C(1000000)
#define FREQUENCY_LIMIT UINT64_C(1000000000000)
/* Less does not hold a container's init and a shell. */
#define MEMORY_LEAST (UINT64_C(4) << 20)
#define MEMORY_LIMIT (UINT64_C(1) << 50)

static void read_word(struct reader *reader, const json_t *value, const char *expected, const char **ret)
{
    reader_string(reader, value, expected, ret);
}

static void read_template(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnode_spec *spec = target;
    read_word(reader, value, "a template's name", &spec->template_name);
}

static void read_count(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnode_spec *spec = target;
    reader_integer(reader, value, 1, 1000000, &spec->count);
}

static void read_image(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnode_spec *spec = target;
    static const char expected[] = "\"host\" or the absolute path of a directory";
    const char *image;
    if (!reader_string(reader, value, expected, &image)) {
        return;
    }
    if (strcmp(image, "host") != 0 && image[0] != '/') {
        g_autofree char *shown = reader_printable(image);
        reader_problem(reader, "\"%s\" is no image: expected %s", shown, expected);
        return;
    }
    spec->image = image;
}

static void read_pnode(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnode_spec *spec = target;
    g_autoptr(GError) error = NULL;
    const char *name;
    if (!reader_string(reader, value, "a pnode's name", &name)) {
        return;
    }
    if (!names_check(name, &error)) {
        reader_problem(reader, "%s", error->message);
        return;
    }
    spec->pnode = name;
}

static void read_where(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnode_spec *spec = target;
    if (labels_read(reader, value)) {
        spec->where = value;
    }
}

static void read_labels(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnode_spec *spec = target;
    if (labels_read(reader, value)) {
        spec->labels = value;
    }
}

static void read_gateway(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnode_spec *spec = target;
    bool gateway;
    if (reader_bool(reader, value, &gateway)) {
        spec->gateway = gateway ? TRISTATE_YES : TRISTATE_NO;
    }
}

static void read_cores(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnode_spec *spec = target;
    spec->cores_given |= reader_integer(reader, value, 0, CORES_LIMIT, &spec->cores);
}

static void read_frequency(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnode_spec *spec = target;
    spec->speed_given |=
        reader_quantity(reader, value, &quantity_kind_frequency, FREQUENCY_LEAST, FREQUENCY_LIMIT, &spec->frequency);
}

static void read_ratio(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnode_spec *spec = target;
    uint64_t ratio;
    if (reader_quantity(reader, value, &quantity_kind_percent, 1, PPB_ONE, &ratio)) {
        spec->cpu_ratio = (uint32_t)ratio;
        spec->speed_given = true;
    }
}

const struct field cpu_fields[] = {
    {"cores", read_cores},
    {"frequency", read_frequency},
    {"ratio", read_ratio},
    {NULL, NULL},
};

static void read_cpu(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    const struct vnode_spec *spec = target;
    reader_object(reader, value, "a CPU", cpu_fields, target);
    if (spec->frequency && spec->cpu_ratio) {
        reader_problem(reader, "both frequency and ratio say how fast a core is: expected one of them");
    }
}

static void read_memory(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnode_spec *spec = target;
    spec->memory_given |= reader_quantity(reader, value, &quantity_kind_size, MEMORY_LEAST, MEMORY_LIMIT, &spec->memory);
}

static void read_vifaces(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct vnode_spec *spec = target;
    if (!reader_is_object(reader, value, "vifaces by name")) {
        return;
    }
    if (json_object_size(value) > VIFACES_PER_VNODE) {
        reader_problem(reader, "%zu vifaces are too many: expected at most %d", json_object_size(value), VIFACES_PER_VNODE);
        return;
    }
    spec->vifaces = g_array_sized_new(FALSE, TRUE, sizeof(struct viface_spec), (unsigned)json_object_size(value));
    const char *name;
    json_t *member;
    json_object_foreach ((json_t *)value, name, member) {
        struct viface_spec viface = {.name = name};
        g_autoptr(GError) error = NULL;
        size_t mark = reader_enter(reader, name);
        if (!names_check_viface(name, &error)) {
            reader_problem(reader, "%s", error->message);
        }
        viface_spec_read(reader, member, "a viface", viface_fields, &viface);
        reader_leave(reader, mark);
        g_array_append_val(spec->vifaces, viface);
    }
}

#define COMMON_FIELDS                                                                                                              \
    {"image", read_image}, {"pnode", read_pnode}, {"where", read_where}, {"labels", read_labels}, {"gateway", read_gateway},       \
        {"cpu", read_cpu}, {"memory", read_memory}, {"vifaces", read_vifaces},                                                     \
    {                                                                                                                              \
        NULL, NULL                                                                                                                 \
    }

const struct field vnode_fields[] = {{"template", read_template}, {"count", read_count}, COMMON_FIELDS};
const struct field template_fields[] = {{"extends", read_template}, COMMON_FIELDS};
const struct field vnode_default_fields[] = {COMMON_FIELDS};

static void read_vnetwork(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct viface_spec *spec = target;
    read_word(reader, value, "a vnetwork's name", &spec->vnetwork);
}

static void read_address(struct reader *reader, const json_t *value, uint8_t family, struct ip_addr *ret)
{
    g_autofree char *expected = g_strdup_printf("an IPv%u address such as \"%s\"", family, family == 4 ? "10.1.0.7" : "fd00:1::7");
    g_autoptr(GError) error = NULL;
    const char *text;
    struct ip_addr addr;
    if (!reader_string(reader, value, expected, &text)) {
        return;
    }
    if (!ip_addr_parse(text, &addr, &error) || addr.family != family) {
        g_autofree char *shown = reader_printable(text);
        reader_problem(reader, "\"%s\" is no IPv%u address: expected %s%s", shown, family, expected,
                       strchr(text, '/') ? ", without a prefix length" : "");
        return;
    }
    *ret = addr;
}

static void read_ipv4(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct viface_spec *spec = target;
    read_address(reader, value, 4, &spec->ipv4);
}

static void read_ipv6(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct viface_spec *spec = target;
    read_address(reader, value, 6, &spec->ipv6);
}

static void read_mac(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct viface_spec *spec = target;
    g_autoptr(GError) error = NULL;
    const char *text;
    if (!reader_string(reader, value, "a MAC address such as \"02:00:00:00:00:01\"", &text)) {
        return;
    }
    g_autofree char *shown = reader_printable(text);
    if (!mac_parse(shown, &spec->mac, &error)) {
        reader_problem(reader, "%s", error->message);
    }
}

static void read_input(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct viface_spec *spec = target;
    reader_object(reader, value, "one direction of a viface", impairment_fields, &spec->input);
}

static void read_output(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct viface_spec *spec = target;
    reader_object(reader, value, "one direction of a viface", impairment_fields, &spec->output);
}

static void read_both(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct viface_spec *spec = target;
    reader_object(reader, value, "both directions of a viface", impairment_fields, &spec->both);
}

#define DIRECTION_FIELDS                                                                                                           \
    {"input", read_input}, {"output", read_output}, {"both", read_both},                                                           \
    {                                                                                                                              \
        NULL, NULL                                                                                                                 \
    }

const struct field viface_fields[] = {
    {"vnetwork", read_vnetwork}, {"ipv4", read_ipv4}, {"ipv6", read_ipv6}, {"mac", read_mac}, DIRECTION_FIELDS};
const struct field viface_default_fields[] = {{"vnetwork", read_vnetwork}, DIRECTION_FIELDS};

void viface_spec_read(struct reader *reader, const json_t *value, const char *what, const struct field *fields,
                      struct viface_spec *spec)
{
    reader_object(reader, value, what, fields, spec);
    struct direction input = spec->both, output = spec->both;
    direction_overlay(&input, &spec->input);
    direction_overlay(&output, &spec->output);
    spec->input = input;
    spec->output = output;
}

void vnode_spec_clear(struct vnode_spec *spec)
{
    if (spec->vifaces) {
        g_array_unref(spec->vifaces);
        spec->vifaces = NULL;
    }
}
