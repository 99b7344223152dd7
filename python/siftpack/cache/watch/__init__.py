"""Observers that are ready to use: metrics for Prometheus and OpenTelemetry, and lines in a log.

Each is given to a cache as ``on_event``. None of them tells a key, a user or a value, and the words that make series
are bounded.
"""
