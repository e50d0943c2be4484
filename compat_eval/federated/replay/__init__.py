"""Which samples a client keeps for the periods to come."""
