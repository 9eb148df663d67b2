"""The runs of a sweep in processes of this machine."""
