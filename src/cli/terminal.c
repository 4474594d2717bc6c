/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved;
static int raw_fd = -1; /* To be restored to 'saved'. */

unsigned terminal_width(FILE *file)
{
    unsigned rows, columns;
    if (!isatty(fileno(file))) {
        return 0;
    }
    return terminal_size(fileno(file), &rows, &columns) && columns >= 20 ? columns : 80;
}

bool terminal_has_color(FILE *file)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(file)) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

bool terminal_has_unicode(void)
{
    return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

const char *terminal_color(FILE *file, enum color color)
{
    static const char *const codes[] = {
        [COLOR_NONE] = "",           [COLOR_RED] = "\033[31m", [COLOR_GREEN] = "\033[32m",
        [COLOR_YELLOW] = "\033[33m", [COLOR_BOLD] = "\033[1m", [COLOR_DIM] = "\033[2m",
    };
    return terminal_has_color(file) ? codes[color] : "";
}

const char *terminal_plain(FILE *file)
{
    return terminal_has_color(file) ? "\033[0m" : "";
}

bool terminal_make_raw(int fd)
{
    if (tcgetattr(fd, &saved) < 0) {
        return false;
    }
    static bool registered;
    if (!registered) {
        registered = atexit(terminal_restore) == 0;
    }
    struct termios raw = saved;
    cfmakeraw(&raw);
    if (tcsetattr(fd, TCSADRAIN, &raw) < 0) {
        return false;
    }
    raw_fd = fd;
    return true;
}

void terminal_restore(void)
{
    if (raw_fd >= 0) {
        tcsetattr(raw_fd, TCSADRAIN, &saved);
        raw_fd = -1;
    }
}

bool terminal_size(int fd, unsigned *ret_rows, unsigned *ret_columns)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row) {
        return false;
    }
    *ret_rows = size.ws_row;
    *ret_columns = size.ws_col;
    return true;
}
