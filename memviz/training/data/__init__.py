"""What a fine-tuning reads: the corpus as a dataset, encoded once, and its groups of duplicates."""
