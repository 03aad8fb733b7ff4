"""Reading HDF5 files in pure Python: whatever a file holds, no library can crash on it."""

from dnnfast.saving.hdf5.objects import Dataset, Group, open_file

__all__ = ["Dataset", "Group", "open_file"]
