"""What people and CI see: live progress, plain lines, tables, reports."""
