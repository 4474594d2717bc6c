# The platform as structs; topology files.
noinst_LTLIBRARIES += libtopology.la
libtopology_la_SOURCES = \
	src/topology/check.c src/topology/equal.c src/topology/impairment.c src/topology/impairment.h src/topology/limits.c \
	src/topology/limits.h src/topology/names.c src/topology/names.h src/topology/nearest.c src/topology/overlay.c \
	src/topology/parse.c src/topology/parser.h src/topology/platform.c src/topology/position.c src/topology/position.h \
	src/topology/reader.c src/topology/reader.h src/topology/spec.c src/topology/spec.h src/topology/templates.c \
	src/topology/vnetworks.c src/topology/vnodes.c src/topology/vroutes.c src/topology/writer.c \
	include/distem/platform.h include/distem/topology.h
libtopology_la_LIBADD = libbase.la $(JANSSON_LIBS) -lm
