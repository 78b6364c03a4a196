"""What `scripts/benchmark.py` can measure, one part a file."""
