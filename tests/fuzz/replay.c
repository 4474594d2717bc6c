/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds files to a fuzzer's function, without a fuzzing engine: the files named as arguments, or else the fuzzer's whole corpus.
 * The program is called replay-NAME for the corpus NAME. TAP. */
#include <config.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gint compare_paths(gconstpointer a, gconstpointer b)
{
    const char *const *first = a, *const *second = b;
    return strcmp(*first, *second);
}

/* Returns the paths of the files in the corpus of 'program', sorted. */
static GPtrArray *corpus(const char *program)
{
    static const char prefix[] = "replay-";
    const char *top = getenv("top_srcdir"), *name = strstr(program, prefix);
    g_autofree char *folder = g_build_filename(top ? top : ".", "tests/fuzz/corpus", name ? name + strlen(prefix) : "", NULL);
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *entry;
    while (dir && (entry = g_dir_read_name(dir))) {
        g_ptr_array_add(paths, g_build_filename(folder, entry, NULL));
    }
    g_ptr_array_sort(paths, compare_paths);
    return paths;
}

int main(int argc, char **argv)
{
    g_autofree char *program = g_path_get_basename(argv[0]);
    g_autoptr(GPtrArray) paths = argc > 1 ? g_ptr_array_new_with_free_func(g_free) : corpus(program);
    for (int i = 1; i < argc; i++) {
        g_ptr_array_add(paths, g_strdup(argv[i]));
    }
    if (!paths->len) {
        printf("Bail out! There is no file to replay.\n");
        return 1;
    }
    printf("1..%u\n", paths->len);
    for (unsigned i = 0; i < paths->len; i++) {
        const char *path = paths->pdata[i];
        g_autofree char *text = NULL, *name = g_path_get_basename(path);
        gsize size;
        if (!g_file_get_contents(path, &text, &size, NULL)) {
            printf("not ok %u - %s cannot be read\n", i + 1, path);
            return 1;
        }
        /* Of exactly this size, so that a sanitizer sees a read behind the end. */
        g_autofree uint8_t *data = g_memdup2(text, size ? size : 1);
        LLVMFuzzerTestOneInput(data, size);
        printf("ok %u - %s\n", i + 1, name);
        fflush(stdout);
    }
    return 0;
}
