"""Compose files by what they mean: short and long forms, lists and maps of one thing."""

from __future__ import annotations

from collections.abc import Sequence

from changeover.merge.formats import yaml
from changeover.merge.formats.base import Format, Read
from changeover.merge.formats.yaml_pieces import Pieces
from changeover.merge.formats.yaml_values import order_matters, read_values
from changeover.merge.formats.yaml_writing import make_entry, rename_anchors, written_value
from changeover.merge.tree import Block, Item, Key, Leaf, Plain, Value
from changeover.merge.values import Meaning

_PAIRS = {"environment", "labels", "args", "sysctls", "annotations", "extra_hosts"}
_NAMES = {"depends_on", "networks", "profiles", "cap_add", "cap_drop", "dns", "external_links"}
_MOUNTS = {"secrets", "configs"}
_STARTED = {"condition": "service_started"}


def read(text: str) -> tuple[Block, Value]:
    """Read a Compose file; its value is the canonical one."""
    tree, value = yaml.read(text)
    return tree, canonical(value)


def read_several() -> Read:
    """Return a reader for texts that have much in common."""
    pieces = Pieces(yaml.read)

    def read_one(text: str) -> tuple[Block, Value]:
        tree, value = pieces.read(text)
        return tree, canonical(value)

    return read_one


def values(text: str) -> Value:
    """Return the canonical value of a Compose file."""
    return canonical(read_values(text))


def canonical(value: Value, path: Key = ()) -> Value:
    """Return a value in which every form of one thing looks the same."""
    if path and _in_service(path):
        value = _one_form(path[-1], value)
    if isinstance(value, dict):
        return {key: canonical(inner, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [canonical(inner, (*path, "")) for inner in value]
    return value


def _in_service(path: Key) -> bool:
    return len(path) >= 2 and not (len(path) == 2 and path[0] == "services")


def _one_form(kind: str, value: Value) -> Value:
    if kind in _PAIRS and isinstance(value, (dict, list)):
        return _pairs(value, ":" if kind == "extra_hosts" else "=")
    if kind in ("depends_on", "networks") and _all_names(value):
        form: Value = dict(_STARTED) if kind == "depends_on" else Plain("null", "")
        return {str(name): form for name in value}
    if kind == "ports" and isinstance(value, list):
        return [_port(port) for port in value]
    if kind == "volumes" and isinstance(value, list):
        return [_volume(volume) for volume in value]
    if kind == "env_file" and isinstance(value, str):
        return [value]
    return value


def _all_names(value: Value) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _pairs(value: Value, sign: str) -> Value:
    if isinstance(value, dict):
        return {key: _text(inner) for key, inner in value.items()}
    result: dict[str, Value] = {}
    for pair in value if isinstance(value, list) else []:
        if not isinstance(pair, (str, Plain)):
            return value
        name, found, text = _shown(pair).partition(sign)
        result[name] = text if found else Plain("null", "")
    return result


def _text(value: Value) -> Value:
    return value.text if isinstance(value, Plain) and value.kind == "plain" else value


def _shown(value: Value) -> str:
    return value.text if isinstance(value, Plain) else str(value)


def _port(port: Value) -> Value:
    if isinstance(port, dict):
        if (
            set(port) - {"target", "published", "protocol", "host_ip", "mode"}
            or "target" not in port
        ):
            return port
        parts = [_shown(port[key]) for key in ("host_ip", "published", "target") if key in port]
        mode = (
            "" if _shown(port.get("mode", "ingress")) == "ingress" else f" {_shown(port['mode'])}"
        )
        return ":".join(parts) + "/" + _shown(port.get("protocol", "tcp")) + mode
    text = _shown(port)
    return text if "/" in text else text + "/tcp"


def _volume(volume: Value) -> Value:
    if not isinstance(volume, dict):
        return volume
    if set(volume) - {"type", "source", "target", "read_only"} or "source" not in volume:
        return volume
    ending = ":ro" if volume.get("read_only") == Plain("plain", "true") else ""
    return f"{_shown(volume['source'])}:{_shown(volume.get('target', ''))}{ending}"


def identify(path: Key, value: Value) -> str | None:
    """Return which one of its list an element is."""
    kind = path[-1] if len(path) >= 2 else ""
    scalar = isinstance(value, (str, Plain))
    if kind in _PAIRS and scalar:
        return _shown(value).partition(":" if kind == "extra_hosts" else "=")[0]
    if kind == "ports":
        return _port_name(value)
    if kind == "volumes":
        return _volume_name(value)
    if kind in _NAMES and scalar:
        return _shown(value)
    if kind in _MOUNTS:
        return _shown(value.get("source", "")) if isinstance(value, dict) else _shown(str(value))
    return None


def _port_name(value: Value) -> str | None:
    if isinstance(value, dict):
        target = _shown(value.get("target", ""))
        return f"{target}/{_shown(value.get('protocol', 'tcp'))}"
    if isinstance(value, list):
        return None
    text, _, rest = _shown(value).partition("/")
    return f"{_last_colon(text)}/{rest.partition(' ')[0] or 'tcp'}"


def _last_colon(text: str) -> str:
    """Return what follows the last colon outside of `${...}`."""
    depth, cut = 0, 0
    for place, sign in enumerate(text):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if sign == ":" and depth == 0:
            cut = place + 1
    return text[cut:]


def _volume_name(value: Value) -> str | None:
    if isinstance(value, dict):
        return _shown(value.get("target", ""))
    if isinstance(value, list):
        return None
    parts = _outer_parts(_shown(value))
    return parts[1] if len(parts) > 1 else parts[0]


def _outer_parts(text: str) -> list[str]:
    parts, depth = [""], 0
    for sign in text:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if sign == ":" and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _ordered(path: Key, keys: Sequence[str]) -> bool:
    kind = path[-1] if path else ""
    return kind not in _PAIRS and kind not in ("ports", "volumes") and order_matters(path, keys)


def make(key: str, value: Value, block: Block, like: Item | None) -> Item | None:
    """Write an entry; a map's pair becomes `KEY=value` where the block is a list."""
    if block.shape == "list" and key and not isinstance(value, (dict, list)):
        text = _shown(value)
        pair = (
            text.removesuffix("/tcp") if identify(("", "ports"), value) == key else f"{key}={text}"
        )
        if isinstance(value, Plain) and value.kind == "null":
            pair = key
        return make_entry(key, pair, block, like)
    if block.shape == "list" and value == _STARTED:
        return make_entry(key, key, block, like)
    return make_entry(key, value, block, like)


def answered(text: str, like: Leaf) -> str:
    """Write an answer: a pair keeps its name."""
    old = like.text.strip().strip("\"'")
    name, sign, _ = old.partition("=")
    if sign and "=" not in text and name.isidentifier():
        text = f"{name}={text}"
    return written_value(text, like)


FORMAT = Format("compose", read, values, Meaning(identify, _ordered, may_empty=False, texts=True),
                answered, make, rename_anchors, several=read_several)  # fmt: skip
