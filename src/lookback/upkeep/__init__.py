"""The store and the machine kept in order: what the commands doctor, relocate and prune do."""
