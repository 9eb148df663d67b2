"""The runs of a sweep as jobs of Slurm, submitted by submitit; what became of them is read from their folders."""
