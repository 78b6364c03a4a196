"""The columns of the papers' tables, each a pure function on arrays; a file is one noun."""
