dist_man_MANS += \
	doc/man/distem.1 \
	doc/man/distem-cleanup.1 \
	doc/man/distem-diff.1 \
	doc/man/distem-doctor.1 \
	doc/man/distem-down.1 \
	doc/man/distem-exec.1 \
	doc/man/distem-help.1 \
	doc/man/distem-pnode.1 \
	doc/man/distem-replan.1 doc/man/distem-set.1 \
	doc/man/distem-show.1 doc/man/distem-unset.1 \
	doc/man/distem-shell.1 \
	doc/man/distem-status.1 \
	doc/man/distem-trace.1 \
	doc/man/distem-up.1 \
	doc/man/distem-validate.1 \
	doc/man/distem-verify.1 \
	doc/man/distem-version.1
dist_doc_DATA += doc/architecture.md doc/cluster.md doc/networks.md doc/rest.md doc/topology.md

