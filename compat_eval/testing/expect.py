"""A claim with its message; unlike `assert`, it also holds under `python -O`."""


def expect(claim: object, message: str) -> None:
    """Raise unless a claim is true.

    Raises:
        AssertionError: It is not; with the message.

    """
    if not claim:
        raise AssertionError(message)
