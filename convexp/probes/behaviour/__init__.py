"""Probes that look at what a network answers: images in, logits or features out."""
