"""Answers of HTTP/1.1 as servers give them, and as they should not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changeover.sources.oci.http1 import Disconnected, Malformed, Response, request_head

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HINTS = b"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 103 Hint\r\nLink: x\r\n\r\n"


@contextmanager
def said(content: bytes, method: str = "GET") -> Iterator[Response]:
    """Let a server say something, and close the connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        theirs.sendall(content)
        theirs.shutdown(socket.SHUT_RDWR)
        response = Response(ours, method)
        try:
            yield response
        finally:
            response.close()


def test_a_body_ends_where_its_header_says() -> None:
    with said(b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 3\r\nX: a\r\nX: b\r\n\r\nabcdef") as answer:
        assert (answer.status, answer.length, answer.headers.get_all("x")) == (200, 3, ["a", "b"])
        assert answer.read() == b"abc"
        assert answer.isclosed()
        assert not answer.will_close


@pytest.mark.parametrize(
    ("head", "method", "body"),
    [
        (b"HTTP/1.1 200\r\nContent-Length: 9\r\n\r\n", "HEAD", b""),
        (b"HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n", "PUT", b""),
        (HINTS + b"HTTP/1.1 201 OK\r\n\r\n", "PUT", b""),
        (b"HTTP/1.0 200 OK\n\nto the end", "GET", b"to the end"),
        (CHUNKED + b"2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n", "GET", b"abc"),
    ],
)
def test_bodies_come_in_all_their_forms(head: bytes, method: str, body: bytes) -> None:
    with said(head, method) as answer:
        assert answer.read() == body
        assert answer.isclosed()


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", OK + b"Connection: close\r\n\r\n"],
)
def test_a_server_that_will_close_is_believed(head: bytes) -> None:
    with said(head) as answer:
        assert answer.will_close


def test_a_body_that_is_cut_off_is_short_and_its_connection_is_not_used_again() -> None:
    with said(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc") as answer:
        assert answer.read() == b"abc"
        assert answer.will_close


@pytest.mark.parametrize(
    "content",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\n\r\n",
        CHUNKED + b"xyz\r\n",
        CHUNKED + b"5\r\nab",
        CHUNKED + b"1\r\nabcd\r\n",
    ],
)
def test_what_is_no_answer_is_refused(content: bytes) -> None:
    with pytest.raises(Malformed), said(content) as answer:
        answer.read()


def test_a_connection_that_was_closed_instead_is_told_apart() -> None:
    with pytest.raises(Disconnected), said(b""):
        pass


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", OK, CHUNKED]))
def test_no_bytes_break_it(content: bytes, before: bytes) -> None:
    try:
        with said(before + content) as answer:
            answer.read()
    except OSError:
        return


@given(st.binary(max_size=3000), st.lists(st.integers(1, 700), max_size=9))
@settings(max_examples=100, deadline=None)
def test_chunks_of_any_size_are_put_together(content: bytes, sizes: list[int]) -> None:
    rest, parts = content, b""
    for size in sizes:
        part, rest = rest[:size], rest[size:]
        parts += b"%x\r\n%s\r\n" % (len(part), part) if part else b""
    parts += (b"%x\r\n%s\r\n" % (len(rest), rest) if rest else b"") + b"0\r\n\r\n"

    with said(CHUNKED + parts) as answer:
        assert answer.read() == content


@pytest.mark.parametrize(
    ("target", "headers"),
    [("/a b", {}), ("/a\r\nX: y", {}), ("/\u00e9", {}), ("/", {"X": "a\r\nY: b"})],
)
def test_no_request_becomes_two(target: str, headers: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        request_head("GET", target, headers)
