# distem: the command line.
bin_PROGRAMS += distem
distem_SOURCES = \
	src/cli/changes.c src/cli/changes.h src/cli/cleanup.c src/cli/cli.h src/cli/daemon.c src/cli/daemon.h src/cli/diff.c \
	src/cli/doctor.c src/cli/down.c src/cli/exec.c src/cli/help.c src/cli/main.c src/cli/meter.c src/cli/meter.h \
	src/cli/beside.c src/cli/options.c src/cli/options.h src/cli/pnode.c src/cli/replan.c src/cli/report.c src/cli/report.h src/cli/session.c src/cli/session.h \
	src/cli/set.c src/cli/shell.c src/cli/show.c \
	src/cli/status-vnode.c src/cli/status.c src/cli/status.h src/cli/table.c src/cli/table.h src/cli/terminal.c \
	src/cli/terminal.h src/cli/text.c src/cli/text.h src/cli/trace.c src/cli/up.c src/cli/validate.c src/cli/verify.c src/cli/version.c \
	src/cli/wait.c src/cli/wait.h
distem_CPPFLAGS = $(AM_CPPFLAGS) -DSBINDIR='"$(sbindir)"'
distem_LDADD = libdistem.la libplan.la libtopology.la libbase.la $(JANSSON_LIBS) $(GLIB_LIBS) -lm

# A stand-in for the daemon.
check_PROGRAMS += tests/cli/double
tests_cli_double_SOURCES = \
	tests/cli/double-answers.c tests/cli/double-exec.c tests/cli/double.c tests/cli/double.h tests/unit/fake-poll.c tests/unit/fake-poll.h \
	src/client/frames.c src/client/frames.h
tests_cli_double_LDADD = librest.la

TESTS += tests/cli/test-cli.py tests/cli/test-docs.py
EXTRA_DIST += tests/cli/harness.py tests/cli/test-cli.py tests/cli/test-docs.py

completiondir = $(datadir)/bash-completion/completions
EXTRA_DIST += share/completion/distem.bash
install-data-local: install-completion
install-completion:
	$(MKDIR_P) '$(DESTDIR)$(completiondir)'
	$(INSTALL_DATA) $(srcdir)/share/completion/distem.bash '$(DESTDIR)$(completiondir)/distem'
uninstall-local: uninstall-completion
uninstall-completion:
	rm -f '$(DESTDIR)$(completiondir)/distem'
PHONY_TARGETS += install-completion uninstall-completion

check_PROGRAMS += tests/unit/test-cli-text
tests_unit_test_cli_text_SOURCES = \
	tests/unit/test-cli-text.c src/cli/table.c src/cli/table.h src/cli/terminal.c src/cli/terminal.h src/cli/text.c src/cli/text.h
tests_unit_test_cli_text_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_cli_text_LDADD = $(GLIB_LIBS) -lm
TESTS += tests/unit/test-cli-text
