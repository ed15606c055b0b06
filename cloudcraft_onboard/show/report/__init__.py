"""A finished run as a file, one module a format."""
