"""Models of their own for clients, near a common one."""
