"""YAML: libyaml's events give the spans; comments and blanks are assigned by indentation."""

from __future__ import annotations

from collections.abc import Sequence

from changeover.merge.formats.base import Format
from changeover.merge.formats.brackets import Child, bracketed
from changeover.merge.formats.yaml_events import Document, Node, read_documents
from changeover.merge.formats.yaml_pieces import Pieces
from changeover.merge.formats.yaml_values import one_or_many, read_values, yaml_meaning
from changeover.merge.formats.yaml_writing import make_entry, rename_anchors, written_value
from changeover.merge.tree import (
    Block,
    Item,
    Leaf,
    Value,
    blank,
    comment,
    lines_of,
    number_repeats,
)
from changeover.merge.verdict import Unreadable


def read(text: str) -> tuple[Block, Value]:
    """Read a stream of documents; one alone has no name in paths."""
    documents = read_documents(text)
    values = [document.root.value if document.root else "" for document in documents]
    return _Reader(text).stream(documents), one_or_many(values)


class _Reader:
    """Cuts the text along the spans of nodes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.explicit = "? " in text

    def stream(self, documents: list[Document]) -> Block:
        block = Block([], "map" if len(documents) < 2 else "list")
        place = 0
        if not documents:
            # A file of comments alone is an empty map: settings can come to it and go.
            inner = Block()
            self._loose(self.text, inner.items)
            return Block([Item("entry", "", inner)])
        for number, document in enumerate(documents):
            last = number + 1 == len(documents)
            limit = (
                len(self.text) if last else self._document_limit(document, documents[number + 1])
            )
            block.items.append(self._document(document, place, limit, len(documents) > 1))
            place = limit
        if place < len(self.text):
            self._loose(self.text[place:], block.items)
        return block

    def _document_limit(self, document: Document, following: Document) -> int:
        if document.end >= 0:
            return self._line_end(document.end)
        return self._line_start(following.start)

    def _document(self, document: Document, place: int, limit: int, several: bool) -> Item:
        opening = place
        if document.explicit:
            mark = self.text.find("---", document.start)
            opening = self._line_end(mark + 3)
        root = document.root
        item = Item("entry", "", group="" if several else None)
        if root is None or root.start < opening or root.kind in ("scalar", "alias"):
            item.value = Leaf(self.text[place:limit], root.value if root else "")
            return item
        item.head = self.text[place:opening]
        stop = limit if document.end < 0 else self._closing_mark(root, limit)
        item.value = self._value(root, opening, stop)
        item.tail = self.text[stop:limit]
        return item

    def _closing_mark(self, root: Node, limit: int) -> int:
        found = self.text.rfind("\n...", root.end, limit)
        return found + 1 if found >= 0 else limit

    def _value(self, node: Node, place: int, limit: int) -> Leaf | Block:
        """Read a value whose text is `text[place:limit]`."""
        odd = node.flow and self._bracket(node) < 0
        childless = not node.children and not node.flow
        if node.kind in ("scalar", "alias") or childless or odd:
            return Leaf(self.text[place:limit], node.value)
        if node.flow:
            return self._flow(node, place, limit)
        return self._block(node, place, limit)

    def _flow(self, node: Node, place: int, limit: int) -> Block:
        closing = node.end - 1
        low = self._bracket(node) + 1
        step = 2 if node.kind == "map" else 1
        children = []
        for index in range(0, len(node.children), step):
            parts = node.children[index : index + step]
            children.append(self._flow_child(parts))
        block = bracketed(self.text, (place, limit), (low, closing), children, node.kind)
        number_repeats(block.items)
        return block

    def _flow_child(self, parts: Sequence[Node]) -> Child:
        key, item = parts[0], parts[-1]
        start = self._explicit_start(key) if len(parts) == 2 else key.start
        value_start = self._after_colon(key, item) if len(parts) == 2 else item.start
        end = max(item.end, value_start)
        value = self._value(item, value_start, end)
        name = (_key_text(key),) if len(parts) == 2 else ()
        return Child(start, value_start, end, value, name)

    def _explicit_start(self, key: Node) -> int:
        if not self.explicit:
            return key.start
        place = key.start - 1
        while place >= 0 and self.text[place] == " ":
            place -= 1
        marked = 0 <= place < key.start - 1 and self.text[place] == "?"
        return place if marked else key.start

    def _bracket(self, node: Node) -> int:
        """Return where a flow collection's bracket is; -1 for a pair that has none."""
        place = node.start
        if self.text[place] in "&!":
            while self.text[place] not in "{[" and place < node.end - 1:
                place += 1
        return place if self.text[place] in "{[" else -1

    def _after_colon(self, key: Node, item: Node) -> int:
        found = self.text.find(":", key.end, max(item.start, key.end) + 1)
        return found + 1 if found >= 0 else key.end

    def _block(self, node: Node, place: int, limit: int) -> Block:
        first = self._first_start(node)
        column = first - self._line_start(first)
        compact = self._line_start(first) < place
        opening = first if compact else self._opening(node, place, first)
        block = Block([], node.kind, self.text[place:opening], indent=column, compact=compact)
        at = opening
        entries = self._entries(node)
        for number, (start, key, item) in enumerate(entries):
            here = opening if compact and number == 0 else self._line_start(start)
            if at < here:
                self._loose(self.text[at:here], block.items)
            following = entries[number + 1][0] if number + 1 < len(entries) else None
            stop = limit if following is None else self._line_start(following)
            stop = self._entry_stop(item, here, stop, column, last=following is None)
            lead = " " * column if compact and number == 0 else ""
            block.items.append(self._entry((here, stop), key, item, lead))
            at = stop
        if at < limit:
            self._loose(self.text[at:limit], block.items)
        number_repeats(block.items)
        return block

    def _opening(self, node: Node, place: int, first: int) -> int:
        """Return where the lines of a block's children begin."""
        opening = place if place == self._line_start(place) else self._line_end(place)
        if node.start < self._line_start(first):
            opening = max(opening, self._line_end(node.start))
        return opening

    def _first_start(self, node: Node) -> int:
        """Return where the first key or dash of a block collection is."""
        if node.kind == "map":
            return self._explicit_start(node.children[0])
        place = node.start
        while self.text[place] != "-":
            place = self._line_end(place)
            while self.text[place] == " ":
                place += 1
        return place

    def _entries(self, node: Node) -> list[tuple[int, Node | None, Node]]:
        children = node.children
        if node.kind == "map":
            pairs = zip(children[::2], children[1::2], strict=True)
            return [(self._explicit_start(key), key, item) for key, item in pairs]
        place = self._first_start(node)
        column = place - self._line_start(place)
        starts: list[tuple[int, Node | None, Node]] = []
        for number, child in enumerate(children):
            if number:
                place = self._next_dash(max(children[number - 1].end, place), column)
            starts.append((place, None, child))
        return starts

    def _next_dash(self, place: int, column: int) -> int:
        while place < len(self.text):
            place = self._line_end(place)
            at = place + column
            if self.text[at : at + 1] == "-" and not self.text[place:at].strip(" "):
                return at
        raise Unreadable("a list is laid out in a way that cannot be merged")

    def _entry(self, span: tuple[int, int], key: Node | None, item: Node, lead: str) -> Item:
        start, stop = span
        value_start = self._dash_end(start) if key is None else self._after_colon(key, item)
        nested = not item.flow and item.children
        value_end = stop if nested else max(item.end, value_start)
        value = self._value(item, value_start, value_end)
        head = lead + self.text[start:value_start]
        name = () if key is None else (_key_text(key),)
        return Item("entry", head, value, "", self.text[value_end:stop], name,
                    "" if key is None else None)  # fmt: skip

    def _dash_end(self, start: int) -> int:
        return self.text.index("-", start) + 1

    def _entry_stop(self, item: Node, start: int, limit: int, column: int, *, last: bool) -> int:
        """Return where an entry ends: comments deeper than its siblings go with its value."""
        stop = self._line_end(max(item.end, start))
        if item.flow or not item.children:
            return min(stop, limit)
        place = min(stop, limit)
        if place == limit:
            return place
        deeper = place
        for line in lines_of(self.text[place:limit]):
            place += len(line)
            if not line.strip():
                continue
            if len(line) - len(line.lstrip(" ")) <= column:
                break
            deeper = place
        return deeper

    def _loose(self, text: str, items: list[Item]) -> None:
        for line in lines_of(text):
            items.append(comment(line) if line.strip() else blank(line))

    def _line_start(self, place: int) -> int:
        return self.text.rfind("\n", 0, place) + 1

    def _line_end(self, place: int) -> int:
        found = self.text.find("\n", place)
        return len(self.text) if found < 0 else found + 1


def _key_text(key: Node) -> str:
    value = key.value
    return value if isinstance(value, str) else getattr(value, "text", repr(value))


FORMAT = Format("yaml", read, read_values, yaml_meaning(), written_value, make_entry,
                rename_anchors, several=lambda: Pieces(read).read)  # fmt: skip
