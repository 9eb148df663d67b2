"""Tasks: what a network is trained for, each a LightningModule with its loss and its metrics."""
