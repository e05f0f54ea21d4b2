"""A page as blocks, and as text for a terminal, Markdown or HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from changeover.views.style import careful, faint, strong


@dataclass(frozen=True)
class Block:
    """One block: `h1` to `h4`, `p`, `li`, `code`, `note` or `warn`, with its text."""

    kind: str
    text: str


_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_ITEM = re.compile(r"\s*(?:[-*]|\d+\.)\s+(.*)")


def markdown_blocks(text: str, *, level: int = 0) -> Iterator[Block]:
    """Cut simple Markdown into blocks; headings go `level` deeper."""
    paragraph: list[str] = []
    lines = iter(text.splitlines())
    for line in lines:
        heading, item = _HEADING.match(line), _ITEM.match(line)
        if line.startswith("```"):
            yield from _ended(paragraph)
            yield Block("code", "\n".join(_until_fence(lines)))
        elif heading:
            yield from _ended(paragraph)
            yield Block(f"h{min(len(heading[1]) + level, 4)}", heading[2])
        elif item:
            yield from _ended(paragraph)
            paragraph += ["- ", item[1]]
        elif line.strip():
            paragraph.append(line.strip())
        else:
            yield from _ended(paragraph)
    yield from _ended(paragraph)


def _until_fence(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith("```"):
            return
        yield line


def _ended(paragraph: list[str]) -> Iterator[Block]:
    if paragraph:
        kind = "li" if paragraph[0] == "- " else "p"
        yield Block(kind, " ".join(paragraph[1:] if kind == "li" else paragraph))
        paragraph.clear()


def terminal_lines(blocks: Iterable[Block]) -> Iterator[str]:
    """Render for a terminal."""
    for block in blocks:
        if block.kind[0] == "h":
            yield from ("", strong(block.text))
        elif block.kind == "code":
            yield from (faint("    │ ") + line for line in block.text.splitlines())
        elif block.kind == "li":
            yield f"  • {block.text}"
        elif block.kind == "warn":
            yield careful(f"  ! {block.text}")
        else:
            yield f"  {block.text}"


def markdown_lines(blocks: Iterable[Block]) -> Iterator[str]:
    """Render as Markdown."""
    last = ""
    for block in blocks:
        if not (block.kind == last == "li"):
            yield ""
        last = block.kind
        if block.kind[0] == "h":
            yield "#" * int(block.kind[1]) + f" {block.text}"
        elif block.kind == "code":
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", block.text)), default=0))
            yield from (fence, *block.text.splitlines(), fence)
        elif block.kind == "li":
            yield f"- {block.text}"
        elif block.kind in ("note", "warn"):
            yield f"> {'**!** ' if block.kind == 'warn' else ''}{block.text}"
        else:
            yield block.text


_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
body{{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}}
h2{{border-bottom:1px solid #8884;padding-bottom:.2rem;margin-top:2.5rem}}
pre{{background:#8881;padding:.7rem;overflow:auto}}code{{background:#8882;padding:0 .2rem}}
pre,code{{font:13px/1.45 ui-monospace,monospace;border-radius:4px}}
.note,.warn{{border-left:3px solid #88a;padding:.1rem .8rem}}.warn{{border-color:#c60}}
@media(prefers-color-scheme:dark){{body{{background:#16181d;color:#dde}}}}
@media print{{h3{{break-after:avoid}}}}
</style></head><body>
{body}
</body></html>"""


def html_page(blocks: Iterable[Block], title: str, language: str) -> str:
    """Render as one HTML page that needs nothing else."""
    body = "\n".join(_html_lines(blocks))
    return _PAGE.format(language=html.escape(language), title=html.escape(title), body=body)


def _html_lines(blocks: Iterable[Block]) -> Iterator[str]:
    in_list = False
    for block in blocks:
        if (block.kind == "li") != in_list:
            in_list = not in_list
            yield "<ul>" if in_list else "</ul>"
        if block.kind == "code":
            yield f"<pre>{html.escape(block.text)}</pre>"
        elif block.kind in ("note", "warn"):
            yield f'<p class="{block.kind}">{_inline(block.text)}</p>'
        else:
            yield f"<{block.kind}>{_inline(block.text)}</{block.kind}>"
    if in_list:
        yield "</ul>"


def _inline(text: str) -> str:
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(
        f"<code>{html.escape(p[1:-1])}</code>" if p[:1] == "`" and len(p) > 1 else _bold(p)
        for p in parts
    )


def _bold(text: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html.escape(text))
