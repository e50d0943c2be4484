"""Every encoder's queries on every encoder's index, as roles of one panel."""
