"""Certificates near their end, not renewed by anybody, or renewed and not served."""

from __future__ import annotations

from collections.abc import Iterator

from changeover.diagnoses.anatomy import Body, Certificate, Nginx
from changeover.diagnoses.asked import Questions, Replies
from changeover.diagnoses.kind import Kind
from changeover.model.diagnosis import Fault, Mending
from changeover.tools import certbot, openssl


class CertificateKind(Kind):
    """Reads certificates on the wire and on disk, and who renews them."""

    def asks(self, body: Body) -> Questions:
        """Ask what is served under each name, what is on disk, and for the schedule."""
        found: Questions = {}
        for one in body.certificates:
            found[f"wire {one.domain}"] = openssl.served("127.0.0.1", one.port, one.domain)
            if one.file:
                found[f"file {one.domain}"] = openssl.kept(one.file)
            if one.lineage:
                found[f"schedule {one.domain}"] = certbot.schedule(one.folder, one.lineage)
        return found

    def faults(self, body: Body, replies: Replies) -> Iterator[Fault]:
        """What is wrong with each certificate."""
        for one in body.certificates:
            served = openssl.parse(replies.out(f"wire {one.domain}"))
            kept = openssl.parse(replies.out(f"file {one.domain}"))
            if served and kept and served.serial != kept.serial:
                yield _old(one, served, kept, body)
            if served:
                yield from _served(one, served, body)
            if one.lineage:
                yield from _schedule(one, replies)


def _served(one: Certificate, served: openssl.Seen, body: Body) -> Iterator[Fault]:
    thing, days = f"certificate {one.domain}", served.days_left(body.clock.now)
    until = f"served on port {one.port}: until {served.until_text}, serial {served.serial}"
    if not served.is_for(one.domain):
        yield Fault(
            "certificate-name",
            thing,
            f"the certificate served is not for {one.domain}",
            (f"it is for {', '.join(served.names) or 'nobody'}",),
            "serve the one of this name: ssl_certificate in nginx's site",
        )
    if days < 0:
        yield Fault(
            "certificate-expired",
            thing,
            f"the certificate of {one.domain} has expired",
            (until,),
            _remedy(one),
            after=(f"certificate file {one.domain}",),
        )
    elif days < one.warn_days:
        yield Fault(
            "certificate-ending",
            thing,
            f"the certificate of {one.domain} ends in {days:.0f} days",
            (until,),
            _remedy(one),
            grave=False,
        )


def _remedy(one: Certificate) -> str:
    if one.lineage:
        return "changeover run certs renew"
    return f"bring a new one to {one.file or 'where nginx reads it'}, then reload nginx"


def _old(one: Certificate, served: openssl.Seen, kept: openssl.Seen, body: Body) -> Fault:
    nginx = body.nginx[0] if body.nginx else Nginx()
    words = {"program": nginx.program, "config": nginx.config, "prefix": nginx.prefix}
    return Fault(
        "certificate-not-loaded",
        f"certificate file {one.domain}",
        f"nginx serves another certificate of {one.domain} than there is on disk",
        (
            f"served: until {served.until_text}, serial {served.serial}",
            f"in {one.file}: until {kept.until_text}, serial {kept.serial}",
        ),
        "nginx -t && systemctl reload nginx",
        grave=served.days_left(body.clock.now) < 0,
        mending=Mending("have nginx load the certificate", "nginx.reload", words),
    )


def _schedule(one: Certificate, replies: Replies) -> Iterator[Fault]:
    asked = replies.of(f"schedule {one.domain}")
    found = certbot.parse_schedule(asked.stdout)
    if not asked.ok or not found.known:
        return
    thing = f"renewal {one.domain}"
    mend = Mending(
        "schedule the renewal, with a reload of nginx",
        "certificate.schedule",
        {"folder": one.folder},
    )
    if not found.by:
        yield Fault(
            "renewal-not-scheduled",
            thing,
            f"nothing renews the certificate of {one.domain}",
            ("no certbot.timer, no line of cron",),
            "changeover doctor --fix",
            grave=False,
            mending=mend,
        )
    elif not found.reloads:
        yield Fault(
            "renewal-without-reload",
            thing,
            f"renewals of {one.domain} do not reload nginx: it would serve the old one",
            (f"renewed by: {', '.join(found.by)}", "no deploy hook reloads nginx"),
            "changeover doctor --fix",
            grave=False,
            mending=mend,
        )
