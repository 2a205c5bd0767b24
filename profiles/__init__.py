"""WHO: the nouns and their memory; the only package that touches MongoDB."""
