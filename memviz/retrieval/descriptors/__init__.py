"""Networks that turn a picture into a unit vector for search, and where their weights come from."""
