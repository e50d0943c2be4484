"""Parsers of Stanza: `stanza:`."""
