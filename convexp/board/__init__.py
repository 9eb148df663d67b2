"""TensorBoard for a whole study: means over seeds with bands, a front page, and links to each view."""
