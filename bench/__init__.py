"""Every speed claim as a command: `python -m bench NAME [--json]`, with the obvious design beside ours in the same run."""
