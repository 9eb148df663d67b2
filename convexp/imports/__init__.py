"""Importing Lightning and stepping torch's optimizers without the packages that neither of them needs to train."""
