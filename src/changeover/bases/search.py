"""The search for a base that nobody recorded: proof by digest first, likeness last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from changeover.bases.base import Base, guessed
from changeover.bases.history import History
from changeover.bases.packaged import DpkgTrace, RpmTrace
from changeover.bases.trace import Found, Mark, Place, Trace, matches
from changeover.merge.guess import guess_base
from changeover.merge.verdict import Unreadable


@dataclass
class Search:
    """One search; what it came by and could not prove is judged at the end."""

    place: Place
    ours: bytes
    refused: tuple[bytes, ...]
    """Texts that were delivered after the file was edited: they are not what it was made from."""
    beside: Mapping[str, bytes]
    """Leftovers beside the file, by their endings: base only where a digest says so."""
    format: str | None = None
    _unproven: list[Found] = field(default_factory=list)

    def base(self, references: Mapping[str, bytes]) -> Base | None:
        """Return the surest base there is; the references of releases are the last resort."""
        history = History(self.place)
        for trace in (DpkgTrace(self.place), RpmTrace(self.place)):
            found = self._from(trace, history)
            if found is not None:
                return found
        first = history.first()
        self._unproven += [first] if first is not None else []
        self._unproven += [Found(text, name) for name, text in references.items()]
        return self._most_similar()

    def _from(self, trace: Trace, history: History) -> Base | None:
        latest = trace.latest
        if latest is not None and not self._is_refused(latest):
            return self._proven(latest, self._everywhere(trace, history, latest))
        marks = {m.digest: m for m in trace.earlier if not self._is_refused(m)}
        if len(marks) == 1:
            (mark,) = marks.values()
            return self._proven(mark, self._everywhere(trace, history, mark, of_latest=False))
        if not marks:
            return self._only_one(trace)
        self._unproven += self._several(trace, history, marks)
        return None

    def _proven(self, mark: Mark, texts: Iterator[Found]) -> Base | None:
        for found in texts:
            if matches(found.text, mark.digest):
                return Base(found.text, f"{mark.origin} ({found.origin}; digest checked)")
        return None

    def _everywhere(
        self, trace: Trace, history: History, mark: Mark, *, of_latest: bool = True
    ) -> Iterator[Found]:
        """Yield texts that may have a digest, what costs nothing first."""
        yield Found(self.ours, "the file was never edited")
        yield from (Found(text, f"beside it, {ending}") for ending, text in self.beside.items())
        yield from history.with_digest(mark.digest)
        yield from trace.texts(of_latest=of_latest)

    def _only_one(self, trace: Trace) -> Base | None:
        """Return the text of the one version there was before; more of them leave a doubt."""
        texts = self._pristine(trace)
        if len(texts) == 1 and len(trace.versions) == 1:
            return Base(texts[0].text, f"{texts[0].origin} (the version before)")
        self._unproven += texts
        return None

    def _several(
        self, trace: Trace, history: History, marks: Mapping[str, Mark]
    ) -> Iterator[Found]:
        """Yield what was delivered at several times: nobody knows which of them was edited."""
        for mark in marks.values():
            yield from history.with_digest(mark.digest)
        for found in trace.texts(of_latest=False):
            if found.pristine or any(matches(found.text, digest) for digest in marks):
                yield found

    def _pristine(self, trace: Trace) -> list[Found]:
        texts = {
            found.text: found
            for found in trace.texts(of_latest=False)
            if found.pristine and found.text not in self.refused
        }
        return list(texts.values())

    def _is_refused(self, mark: Mark) -> bool:
        return any(matches(text, mark.digest) for text in self.refused)

    def _most_similar(self) -> Base | None:
        pool: dict[str, Found] = {}
        for found in self._unproven:
            if found.text not in self.refused:
                pool.setdefault(found.origin, found)
        texts = {origin: found.text for origin, found in pool.items()}
        best = None
        for form in (self.format, "text"):
            try:
                best = guess_base(self.ours, texts, name=self.place.path, format=form)
            except Unreadable:
                continue
            break
        return guessed(texts[best.reference], best.reference, best.distance) if best else None
