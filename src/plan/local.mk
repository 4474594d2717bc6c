# To be filled by src/plan.
