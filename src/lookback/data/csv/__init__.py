"""A CSV of rows in time: sniffed, read strictly, diagnosed line by line, repaired as the settings say."""
