# To be filled by src/probe.
