"""DECIDES: marketers' rule files will live here; nothing sends proactively yet."""
