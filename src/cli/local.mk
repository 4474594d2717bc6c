# To be filled by src/cli.
