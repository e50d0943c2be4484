"""The reports of a federation and of a sweep of them: a page and a summary each."""
