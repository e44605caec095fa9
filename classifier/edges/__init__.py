"""Doors to the core: command line, tables. They import the core, never the reverse."""
