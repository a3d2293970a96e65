"""Everything that is compiled or fitted."""
