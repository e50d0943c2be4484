"""Suite and gates files: YAML to validated values."""
