# distem: the command line.
bin_PROGRAMS += distem
distem_SOURCES = \
	src/cli/changes.c src/cli/changes.h src/cli/cleanup.c src/cli/cli.h src/cli/daemon.c src/cli/daemon.h src/cli/diff.c \
	src/cli/doctor.c src/cli/down.c src/cli/exec.c src/cli/help.c src/cli/main.c src/cli/meter.c src/cli/meter.h \
	src/cli/options.c src/cli/options.h src/cli/report.c src/cli/report.h src/cli/session.c src/cli/session.h src/cli/shell.c \
	src/cli/status-vnode.c src/cli/status.c src/cli/status.h src/cli/table.c src/cli/table.h src/cli/terminal.c \
	src/cli/terminal.h src/cli/text.c src/cli/text.h src/cli/up.c src/cli/validate.c src/cli/verify.c src/cli/version.c \
	src/cli/wait.c src/cli/wait.h
distem_CPPFLAGS = $(AM_CPPFLAGS) -DSBINDIR='"$(sbindir)"'
distem_LDADD = libdistem.la libtopology.la libbase.la $(JANSSON_LIBS) $(GLIB_LIBS) -lm

# A stand-in for the daemon.
check_PROGRAMS += tests/cli/double
tests_cli_double_SOURCES = \
	tests/cli/double-answers.c tests/cli/double-exec.c tests/cli/double.c tests/cli/double.h tests/unit/poll-stub.c \
	src/client/frames.c src/client/frames.h
tests_cli_double_LDADD = librest.la

TESTS += tests/cli/test-cli.py
EXTRA_DIST += tests/cli/harness.py tests/cli/test-cli.py
