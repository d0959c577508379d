"""Text that is safe to print: the service's names and messages may hold control characters of a terminal."""


def printable(text: str | None) -> str:
    """The text on one line, each character that is not printable replaced by U+FFFD; "" for None."""
    if text is None or text.isprintable():
        return text or ""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
