from hypothesis import given
from hypothesis import strategies as st

from changeover.hosts.stream import Note, Splitter

MARK = b"\x1eab12 "


def fed(*chunks: bytes) -> tuple[bytes, list[Note]]:
    splitter, output, notes = Splitter(MARK), b"", []
    for chunk in chunks:
        for piece in splitter.feed(chunk):
            if isinstance(piece, Note):
                notes.append(piece)
            else:
                output += piece
    return output, notes


def cut(whole: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({p % (len(whole) + 1) for p in places} | {len(whole)})
    return [whole[a:b] for a, b in zip([0, *ends], ends, strict=False)]


@given(
    st.lists(
        st.binary() | st.sampled_from([MARK[:3], b"\x1e", b"\n", b"\x1e\x1eab12"]), max_size=6
    ),
    st.lists(st.integers(0, 10_000)),
)
def test_output_and_notes_are_told_apart_wherever_the_stream_is_cut(
    outputs: list[bytes], places: list[int]
) -> None:
    outputs = [output.replace(MARK, b"") for output in outputs]
    whole = b"".join(o + MARK + f"{i} end {i}\n".encode() for i, o in enumerate(outputs))

    output, notes = fed(*cut(whole, places))

    assert output == b"".join(outputs)
    assert notes == [Note(i, "end", str(i)) for i in range(len(outputs))]


def test_what_only_begins_like_a_mark_is_output() -> None:
    output, notes = fed(b"x\x1eab", b"13 7 end 0\n")

    assert output == b"x\x1eab13 7 end 0\n"
    assert notes == []


def test_a_note_may_lack_its_text() -> None:
    _, notes = fed(MARK + b"7 fenced \n", MARK + b"8 begin\n")

    assert notes == [Note(7, "fenced", ""), Note(8, "begin", "")]
