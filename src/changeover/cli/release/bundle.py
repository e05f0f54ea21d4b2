"""`changeover release keygen | pack | sign | verify`: releases packed and signed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from changeover.cli.images.lines import short, size
from changeover.cli.images.registry import client_for, registry_options
from changeover.cli.options import output_option
from changeover.cli.output import emit
from changeover.cli.release.list import list_
from changeover.cli.release.place import packed, place_for
from changeover.cli.release.travel import bring, export, pull, push
from changeover.cli.release.trust import private_keys, sign_option, trust_options, trusted_keys
from changeover.cli.release.use import use
from changeover.errors import InvalidInput
from changeover.sources.hub import Found, carry, find, named, parse_hub
from changeover.sources.oci.client import Client
from changeover.sources.oci.copier import Options
from changeover.sources.oci.fault import ImageFault
from changeover.sources.oci.patience import Budget
from changeover.sources.oci.verify import Asked, Verifier
from changeover.sources.resigned import Resigned
from changeover.sources.shipped import Shipment, read_shipment
from changeover.sources.signature import keygen as new_key
from changeover.sources.unpack import checked_files

_BUNDLE = click.argument("bundle", metavar="FILE|FOLDER|docker://HOST/REPO:VERSION")
_RELEASE = click.option(
    "--release",
    "named_release",
    default="",
    metavar="PRODUCT:VERSION",
    help="Which one, where there are several.",
)


@click.command()
@click.argument("name", type=click.Path(path_type=Path))
@click.option("--passphrase", is_flag=True, help="Lock the private key; asks for it.")
def keygen(name: Path, passphrase: bool) -> None:
    """Make a key pair for releases: NAME.key, for you alone, and NAME.pub, for who trusts you."""
    secret = ""
    if passphrase:
        secret = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    private, public = new_key(name, secret)
    click.echo(f"{private}  keep it secret, and a copy of it safe")
    click.echo(f"{public}  give it to those who shall trust your releases")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", metavar="FILE|oci:FOLDER")
@click.option("--with-images", is_flag=True, help="Take the images its files name along.")
@click.option("--platform", default="", metavar="OS/ARCH", help="Of each image, only this one.")
@sign_option
@output_option
@registry_options
def pack(folder: Path, out: str, sign_with: tuple[Path, ...], output: str, **given: Any) -> None:
    """Pack a release folder into one file, or into an OCI layout; sign it."""
    client, budget = client_for(given)
    with client:
        found = packed(client, folder, sign_with, given)
        summary = carry(found, place_for(out, "file"), client, Options(jobs=1, budget=budget))
    shipment = found.shipment
    value = {
        "product": shipment.product,
        "version": shipment.version,
        "digest": shipment.manifest.digest,
        "images": len(shipment.images),
        "signed": bool(shipment.envelope),
        "bytes": summary.bytes,
        "to": out,
    }
    signed = "signed" if shipment.envelope else "not signed"
    line = f"{shipment.product} {shipment.version}  {short(shipment.manifest.digest)}  {signed}"
    count = len(shipment.images)
    emit(
        value, [f"{line}, {count} image{'s' * (count != 1)}, {size(summary.bytes)} → {out}"], output
    )


@click.command()
@_BUNDLE
@_RELEASE
@sign_option
@registry_options
def sign(bundle: str, named_release: str, sign_with: tuple[Path, ...], **given: Any) -> None:
    """Add signatures to a packed release; those of other keys are kept.

    For a new key: sign with the old and the new one until everybody trusts the new one.
    """
    if not sign_with:
        raise InvalidInput("release sign: no key", "--sign FILE.key")
    product, _, version = named_release.partition(":")
    client, budget = client_for(given)
    with client:
        found = find(parse_hub(bundle), client, product, version, None)
        resigned = Resigned(found.source, found.shipment, private_keys(sign_with))
        shipment = read_shipment(resigned, found.name, found.tag, bundle)
        again = Found(found.hub, resigned, found.name, found.tag, shipment)
        carry(again, found.hub, client, Options(jobs=1, budget=budget))
    click.echo(f"{shipment.product} {shipment.version}  signed: {short(shipment.manifest.digest)}")


@click.command()
@_BUNDLE
@_RELEASE
@trust_options
@click.option("--quick", is_flag=True, help="Only the signature and what is there; read nothing.")
@output_option
@registry_options
def verify(bundle: str, named_release: str, quick: bool, output: str, **given: Any) -> None:
    """Verify a packed release, offline: who signed it, and that nothing is missing or altered."""
    product, _, version = named_release.partition(":")
    trusted = trusted_keys(given["key"], unsigned=given["unsigned"])
    client, budget = client_for(given)
    with client:
        found = find(parse_hub(bundle), client, product, version, trusted)
        faults = _faults(found, client, budget, deep=not quick, jobs=given["jobs"])
    shipment: Shipment = found.shipment
    value = {
        "product": shipment.product,
        "version": shipment.version,
        "digest": shipment.manifest.digest,
        "signed_by": found.signers,
        "images": [d.annotations for d in shipment.images],
        "faults": faults,
    }
    signers = ", ".join(found.signers) or "nobody was asked for"
    lines = [f"{shipment.product} {shipment.version}  signed by {signers}"]
    lines += [f"damaged    {f}" for f in faults] or ["whole and unaltered"]
    emit(value, lines, output)
    if faults:
        click.get_current_context().exit(1)


def _faults(found: Found, client: Client, budget: Budget, *, deep: bool, jobs: int) -> list[str]:
    try:
        checked_files(found.source, found.name, found.shipment)
    except ImageFault as fault:
        return [named(found, fault.message)]
    asked = Asked(found.hub.shelf(client), found.name, found.tag, found.where)
    verdicts = Verifier(deep=deep, jobs=jobs, budget=budget).run([asked], lambda _: None)
    return [named(found, f) for v in verdicts for f in v.faults]


commands = (keygen, pack, sign, verify, push, pull, export, bring, list_, use)
"""What is mounted under `changeover release`."""
