"""What our dependency parsers share: sentences, vocabulary, encoder, training data."""
