"""Requests: how they are written, how wrk sends them, and whether their answers are right."""
