# The convergence of one machine.
noinst_LTLIBRARIES += libpnode.la
libpnode_la_SOURCES = \
	src/pnode/cleanup.c src/pnode/converge.c src/pnode/daemon.c src/pnode/doctor.c src/pnode/item.c src/pnode/item.h \
	src/pnode/limits.c src/pnode/limits.h src/pnode/machine.c src/pnode/machine.h src/pnode/marks.c src/pnode/marks.h \
	src/pnode/report.c src/pnode/server.c src/pnode/share.c \
	include/distem/pnode-daemon.h include/distem/pnode-server.h
