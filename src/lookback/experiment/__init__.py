"""One trial: what decides its result, and how its contestant is fitted."""
