"""A view object and renderers; templates hold no arithmetic."""
