"""Connect many AWS accounts to Cloudcraft: role in AWS, registration in Cloudcraft, report."""

__version__ = "0.1.0"
