"""Probes of what a network computes from images: predictions, logits and features under shifts and deformations."""
