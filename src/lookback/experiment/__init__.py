"""One trial: what decides its result, and how its model is fitted."""
