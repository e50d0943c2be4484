"""Every number and sentence of a page, as frozen values; templates only place them."""
