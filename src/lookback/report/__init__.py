"""Tables, pictures and words."""
