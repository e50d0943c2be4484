"""The stack-pointer dependency parser."""
