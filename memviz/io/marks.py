"""A part of a text that a program writes, between two marks that people leave alone."""


def replace_between(text: str, begin: str, end: str, body: str) -> str:
    """The same text with `body` between its marks; without marks, both are put at its end."""
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n{body}\n{end}{rest.partition(end)[2]}"
