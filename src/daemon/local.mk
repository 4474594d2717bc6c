# distemd.
sbin_PROGRAMS += distemd
distemd_SOURCES = src/daemon/main.c src/daemon/service.c src/daemon/service.h
distemd_LDADD = libcoordinator.la libpnode.la
