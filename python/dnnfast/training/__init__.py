"""Compiling, fitting, evaluating and predicting; used through models."""
