# The REST resources.
noinst_LTLIBRARIES += libcoordinator.la
libcoordinator_la_SOURCES = \
	src/coordinator/coordinator.c src/coordinator/internal.h src/coordinator/json.c src/coordinator/platform.c \
	src/coordinator/verify.c src/coordinator/verify.h src/coordinator/verify-judge.c src/coordinator/verify-plan.c \
	src/coordinator/vnodes.c \
	include/distem/coordinator.h
