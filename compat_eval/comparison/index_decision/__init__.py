"""May the index stay? Ways to upgrade an encoder, and the rule that takes one."""
