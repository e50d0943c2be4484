"""The shared nouns and Protocols, errors and the registry."""
