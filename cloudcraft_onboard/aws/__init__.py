"""Into AWS accounts, and their roles, with boto3."""
