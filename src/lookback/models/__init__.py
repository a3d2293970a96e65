"""The contestants: networks and floors."""
