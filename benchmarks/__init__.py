"""Vitrine beside other servers of the same model file, in one run on one machine. docs/performance.md tells how to read it."""
