# To be filled by src/rest.
