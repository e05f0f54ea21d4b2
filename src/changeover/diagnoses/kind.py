"""What every diagnosis is: questions to a host, and what their answers mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from changeover.diagnoses.anatomy import Body
from changeover.diagnoses.asked import Questions, Replies
from changeover.model.diagnosis import Fault


class Kind(ABC):
    """A family of faults. It only asks: nothing on the host is changed."""

    @abstractmethod
    def asks(self, body: Body) -> Questions:
        """Return the questions, by name; a question that others ask too has the same name."""

    def asks_further(self, body: Body, replies: Replies) -> Questions:
        """Return what is asked only after the first answers showed a reason to."""
        return {}

    @abstractmethod
    def faults(self, body: Body, replies: Replies) -> Iterator[Fault]:
        """Yield what is wrong."""
