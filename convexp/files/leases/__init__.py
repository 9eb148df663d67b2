"""Leases: who holds a folder, on file systems whose locks do not reach other machines, or that have none.

A lease is a file that its holder rewrites every few seconds with a higher number, its beat. Whether it is alive is told without
times of files and without clocks that have to agree: on the holder's own machine by whether the process lives, on any other by
watching whether the beat changes.

The files are numbered, ``.lease-1``, ``.lease-2``. The one with the highest number counts, and each is created by one process
only (O_EXCL, which the server of a network file system decides). So of several processes that take over a lease, one wins. Only
its holder writes into a lease, and nobody renames one.
"""
