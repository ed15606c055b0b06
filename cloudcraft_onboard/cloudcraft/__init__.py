"""The Cloudcraft API at the pace it allows, with httpx."""
