"""Model and examples in, predictions out: batches, cache, resume, shards."""
