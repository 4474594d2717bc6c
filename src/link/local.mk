# To be filled by src/link.
