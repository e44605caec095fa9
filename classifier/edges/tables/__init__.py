"""Tables in and out: one module a format, and what they share. :mod:`classifier.edges.table` puts them together."""
