"""Several tasks learned by one network: a shared trunk, a head for each task."""
