"""Fitting, cross-validation, evaluation and export. Answering never imports it."""
