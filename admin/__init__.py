"""SHOWS: the agents' console, the JSON API, sign-in, roles and audit."""
