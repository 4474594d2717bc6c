# To be filled by src/vnode.
