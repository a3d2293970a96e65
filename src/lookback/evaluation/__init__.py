"""Arrays in, findings out."""
