"""From two references and a suite to a comparison and its run directory."""
