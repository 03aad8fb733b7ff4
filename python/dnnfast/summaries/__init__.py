"""Event files, the form of data that TensorBoard reads, written without it."""
