# To be filled by src/coordinator.
