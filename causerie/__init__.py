"""RUNS: wires the parts together, keeps the embedded database, answers the command line."""
