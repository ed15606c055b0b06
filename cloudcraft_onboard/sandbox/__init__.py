"""A local AWS and a local Cloudcraft on loopback."""
