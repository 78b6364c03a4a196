"""What several tabs share; imports none of them."""
