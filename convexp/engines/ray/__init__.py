"""The runs of a sweep as tasks of Ray, on this machine or on a cluster."""
