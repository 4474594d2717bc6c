# To be filled by src/client.
