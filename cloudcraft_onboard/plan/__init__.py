"""Pure comparison of what should be with what is; no I/O."""
