"""The manifest: read with positions, validated, selected from, written."""
