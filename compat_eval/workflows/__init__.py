"""From references and a suite to results: compare, mitigate, verify."""
