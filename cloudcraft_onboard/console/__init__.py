"""Text on its way out, and the terminal: what is said, how, and when to stop."""
