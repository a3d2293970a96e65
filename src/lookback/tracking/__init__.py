"""All of MLflow."""
