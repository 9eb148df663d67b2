"""Checks of a configuration whose settings have the right types: do they fit the targets, each other and this machine?"""
