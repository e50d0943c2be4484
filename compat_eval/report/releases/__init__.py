"""The reports of a release: its index page, one JUnit file, one summary."""
