"""Many cases in one test. A test of its own for each of ten thousand would cost more than the requests in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Case = Callable[[str], AbstractContextManager[None]]


@contextmanager
def all_cases() -> Iterator[Case]:
    """`with all_cases() as case:` and inside, `with case(name):` around each; every one is tried.

    Raises:
        AssertionError: at the end, naming each case that went wrong with what it said; or none was tried.
    """
    tried: list[str] = []
    wrong: dict[str, str] = {}

    @contextmanager
    def case(name: str) -> Iterator[None]:
        assert name not in tried, f"two cases are called {name}"
        tried.append(name)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - told below, beside the others
            wrong[name] = f"{type(error).__name__}: {error}"

    yield case
    assert tried, "no case was tried"
    told = "\n\n".join(f"{name}\n{message}" for name, message in wrong.items())
    assert not wrong, f"{len(wrong)} of {len(tried)} cases went wrong:\n\n{told}"
