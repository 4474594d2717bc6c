# To be filled by src/pnode.
