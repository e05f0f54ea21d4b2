"""YAML as libyaml's events, turned into documents with spans and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml as pyyaml

from changeover.merge.encoding import require_utf8
from changeover.merge.formats.yaml_values import (
    Anchors,
    check_depth,
    map_value,
    scalar_value,
    tagged,
    unreadable,
)
from changeover.merge.limits import refuse_masses
from changeover.merge.tree import Value

_LOADER = getattr(pyyaml, "CSafeLoader", pyyaml.SafeLoader)


@dataclass(slots=True, eq=False)
class Node:
    """One node of a document with its span; `inside` is where its first child starts."""

    kind: str
    start: int
    end: int
    text_kind: str = ""
    flow: bool = False
    value: Value = ""
    children: Sequence[Node] = ()
    anchor: str | None = None
    tag: str | None = None


@dataclass(slots=True)
class Document:
    """One document: where it starts, where its marks are, and its root."""

    start: int
    end: int
    explicit: bool
    root: Node | None = None


def read_documents(text: str) -> list[Document]:
    """Return the documents of a stream; raises `Unreadable`."""
    require_utf8(text)
    refuse_masses(text)
    try:
        return _Builder(text).build()
    except pyyaml.YAMLError as error:
        raise unreadable(error) from error
    except UnicodeError as error:
        raise unreadable(error) from error


class _Builder:
    """Turns events into documents with spans and values."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.anchors = Anchors()
        self.documents: list[Document] = []
        self.stack: list[Node] = []

    def build(self) -> list[Document]:
        loader = _LOADER(self.text)
        try:
            while loader.check_event():
                self._take(loader.get_event())
        finally:
            loader.dispose()
        return self.documents

    def _take(self, event: Any) -> None:
        kind = type(event)
        if kind is pyyaml.ScalarEvent:
            value = scalar_value(event.value, event.style, event.tag)
            block = event.style in ("|", ">")
            end = self._scalar_end(event) if block else event.end_mark.index
            node = Node("scalar", event.start_mark.index, end, event.style or "", value=value)
            self._add(node, event.anchor)
        elif kind is pyyaml.MappingStartEvent or kind is pyyaml.SequenceStartEvent:
            self._open(event, "map" if kind is pyyaml.MappingStartEvent else "list")
        elif kind is pyyaml.MappingEndEvent or kind is pyyaml.SequenceEndEvent:
            self._close(self.stack.pop(), event.end_mark.index)
        elif kind is pyyaml.AliasEvent:
            value = self.anchors.get(event.anchor, event.start_mark)
            start, end = event.start_mark.index, event.end_mark.index
            self._add(Node("alias", start, end, value=value), None)
        else:
            self._document(event, kind)

    def _document(self, event: Any, kind: type) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        if kind is pyyaml.DocumentStartEvent:
            self.anchors = Anchors()
            self.documents.append(Document(start, end, bool(event.explicit)))
        elif kind is pyyaml.DocumentEndEvent:
            self.documents[-1].end = end if event.explicit else -1

    def _open(self, event: Any, kind: str) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        flow = bool(event.flow_style)
        node = Node(kind, start, end, "", flow, "", [], event.anchor, event.tag)
        self.stack.append(node)
        check_depth(len(self.stack), event.start_mark)

    def _close(self, node: Node, end: int) -> None:
        if node.flow:
            node.end = end
        elif node.children:
            node.end = node.children[-1].end
        pairs = list(zip(node.children[::2], node.children[1::2], strict=False))
        if node.kind == "map":
            node.value = map_value([(key.value, key.text_kind, item.value) for key, item in pairs])
        else:
            node.value = [child.value for child in node.children]
        node.value = tagged(node.value, node.tag)
        self._add(node, node.anchor)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self.anchors.put(anchor, node.value)
        if self.stack:
            children = self.stack[-1].children
            assert isinstance(children, list)  # noqa: S101 - only collections are on the stack
            children.append(node)
        else:
            self.documents[-1].root = node

    def _scalar_end(self, event: Any) -> int:
        start, end = int(event.start_mark.index), int(event.end_mark.index)
        body = self.text[start:end]
        header = body.partition("\n")[0].partition("#")[0]
        if "+" in header:
            return end - 1 if body.endswith("\n") else end
        stripped = body.rstrip(" \n\t")
        cut = body.find("\n", len(stripped))
        return start + (cut if cut >= 0 else len(body))
