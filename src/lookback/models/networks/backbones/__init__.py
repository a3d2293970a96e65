"""The backbones: what a network does between the ends that a problem brings. One file each; any meets any problem.

A file here must be importable without Keras: it imports `layers` of this folder's parent where it builds.
"""
