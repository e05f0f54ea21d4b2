"""Files that change shape, settings side by side, pending files and guessed bases."""

from __future__ import annotations

from changeover.merge import merge
from changeover.merge.guess import guess_base
from changeover.merge.overriding import override
from changeover.merge.pending import Pending, find_pending
from changeover.merge.settings import Setting, differences
from changeover.merge.shapes import join, moved, split

WHOLE = b"services:\n  web:\n    image: web:1\n    mem: 1g\n  db:\n    image: db:1\n"
EDITED = WHOLE.replace(b"1g", b"2g").replace(b"db:1", b"db:1\n    restart: always")


def test_a_split_file_sends_each_edit_where_its_parent_lives() -> None:
    parts = {
        "compose.web.yml": b"services:\n  web:\n    image: web:2\n    mem: 1g\n",
        "compose.db.yml": b"services:\n  db:\n    image: db:2\n",
    }

    merged = split(WHOLE, EDITED, parts)

    assert merged["compose.web.yml"].text == b"services:\n  web:\n    image: web:2\n    mem: 2g\n"
    assert merged["compose.db.yml"].text == (
        b"services:\n  db:\n    image: db:2\n    restart: always\n"
    )
    assert all(part.clean for part in merged.values())


def test_joined_files_bring_their_edits_along() -> None:
    bases = {"a.yml": b"a:\n  x: 1\n", "b.yml": b"b:\n  y: 1\n"}
    ours = {"a.yml": b"a:\n  x: 5\n", "b.yml": b"b:\n  y: 1\n  z: 2\n"}

    merged = join(bases, ours, b"# all\na:\n  x: 1\nb:\n  y: 3\n", "all.yml")

    assert merged.text == b"# all\na:\n  x: 5\nb:\n  y: 3\n  z: 2\n"
    assert merged.clean


def test_joined_files_keep_their_remarks() -> None:
    bases = {"a.yml": b"services:\n  web:\n    image: w:1\n",
             "b.yml": b"services:\n  db:\n    image: d:1\n"}  # fmt: skip
    ours = {"a.yml": b"services:\n  web:\n    # ours, since May\n    image: lan/w:1\n",
            "b.yml": b"services:\n  db:\n    image: d:1\n    mem: 1g  # measured\n"}  # fmt: skip
    theirs = b"services:\n  web:\n    image: w:1\n  db:\n    image: d:2\n"

    merged = join(bases, ours, theirs, "compose.yml")

    assert merged.text == (
        b"services:\n  web:\n    # ours, since May\n    image: lan/w:1\n"
        b"  db:\n    image: d:2\n    mem: 1g  # measured\n"
    )
    assert merged.clean


def test_a_moved_file_is_merged_under_its_new_name() -> None:
    merged = moved(b"a=1\n", b"a=5\n", b"a=1\nb=2\n", name=".env")

    assert merged.text == b"a=5\nb=2\n"
    assert merged.format == "dotenv"


def test_a_compose_override_holds_only_local_differences() -> None:
    found = override(WHOLE, EDITED, name="docker-compose.yml")

    assert found.text == b"services:\n  web:\n    mem: 2g\n  db:\n    restart: always\n"
    assert found.unsaid == ()


def test_what_an_override_cannot_say_is_reported() -> None:
    found = override(WHOLE, WHOLE.replace(b"    mem: 1g\n", b""), name="docker-compose.yml")

    assert found.unsaid == ("services.web.mem",)


def test_a_drop_in_resets_a_command_before_it_sets_it() -> None:
    base = b"[Service]\nExecStart=/bin/a\nRestart=no\n"

    found = override(base, base.replace(b"/bin/a", b"/bin/a --x"), name="a.service")

    assert found.text == b"[Service]\nExecStart=\nExecStart=/bin/a --x\n"


def test_settings_are_shown_side_by_side_with_secrets_masked() -> None:
    base = b"a: 1\nb: 1\npassword: one\n"

    found = differences(base, b"a: 2\nb: 1\npassword: two\n", b"a: 1\nb: 3\npassword: one\n",
                        name="x.yaml")  # fmt: skip

    assert found == (
        Setting("a", "1", "2", "1", "here"),
        Setting("b", "1", "1", "3", "there"),
        Setting("password", "•••", "•••", "•••", "here"),
    )


def test_pending_files_know_their_side() -> None:
    paths = ["/etc/a", "/etc/a.rpmnew", "/etc/b", "/etc/b.rpmsave", "/etc/c.dpkg-dist", "/etc/d"]

    assert find_pending(paths) == (
        Pending("/etc/a", "/etc/a", "/etc/a.rpmnew"),
        Pending("/etc/b", "/etc/b.rpmsave", "/etc/b"),
    )


def test_the_most_similar_reference_is_the_guessed_base() -> None:
    references = {"4.2": b"a=1\nb=2\nc=3\n", "4.3": b"a=1\nb=2\nc=4\nd=5\n"}

    guess = guess_base(b"a=9\nb=2\nc=4\nd=5\n", references, name=".env")

    assert guess is not None
    assert guess.reference == "4.3"
    assert 0 < guess.distance < 0.5


def test_a_reference_without_base_asks_only_where_both_differ() -> None:
    merged = merge(None, b"a=1\nb=2\n", b"a=1\nb=3\nc=4\n", name=".env")

    assert [conflict.path for conflict in merged.conflicts] == ["b"]
    assert merged.text == b"a=1\nb=2\nc=4\n"


def test_plain_texts_are_shown_side_by_side_line_by_line() -> None:
    found = differences(b"a\nb\nc\nd\n", b"a\nB\nc\nd\nmine\n", b"new\na\nb\nc\nD\n", name="motd")

    assert [(s.path, s.base, s.ours, s.theirs, s.state) for s in found] == [
        ("line 1", None, None, "new", "there"),
        ("line 2", "b", "B", "b", "here"),
        ("line 4", "d", "d", "D", "there"),
        ("line 5", None, "mine", None, "here"),
    ]


def test_a_conflict_about_a_renamed_setting_shows_what_stood_under_its_old_name() -> None:
    base, ours = b'[db]\nhostname = "a"\n', b'[db]\nhostname = "b"\n'

    (found,) = merge(base, ours, b'[db]\nhost = "c"\n', name="x.toml",
                     renamed={"db.hostname": "db.host"}).conflicts  # fmt: skip

    assert (found.path, found.kind) == ("db.host", "changed")
    assert found.base is not None
    assert found.base.text == 'hostname = "a"'
    assert found.ours is not None
    assert found.ours.text == 'hostname = "b"'
