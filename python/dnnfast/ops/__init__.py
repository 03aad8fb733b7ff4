"""Functions on arrays, and the same functions recorded in traced code."""
