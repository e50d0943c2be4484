"""compat-eval: what worked yesterday and will not work tomorrow."""

__version__ = "0.1.0"
