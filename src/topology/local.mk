# The platform as structs; topology files.
noinst_LTLIBRARIES += libtopology.la
libtopology_la_SOURCES = \
	src/topology/nearest.c src/topology/platform.c \
	include/distem/platform.h include/distem/topology.h
libtopology_la_LIBADD = libbase.la $(JANSSON_LIBS)
