"""The models: networks and baselines."""
