"""Programs compiled by TensorFlow: the only place that imports it."""
