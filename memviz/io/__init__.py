"""Files, folders and names: atomic writes, hashes, images, the user's `config.json`, versions.

May import `errors` only.
"""
