"""From a command line or a dictionary to the settings of a trial. Hydra lives here and in `pipelines/` alone."""
