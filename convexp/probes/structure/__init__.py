"""Probes that look at a network's weights and costs."""
