dist_doc_DATA += doc/topology.md

