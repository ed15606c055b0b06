"""Each command as one list of named steps."""
