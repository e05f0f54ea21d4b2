"""The kinds of faults there are, causes before what they cause.

To add one: write its class in a module of this package, name it here, and put a case under
`tests/diagnoses/cases/`.
"""

from __future__ import annotations

from changeover.diagnoses.busy import BusyKind
from changeover.diagnoses.certificate import CertificateKind
from changeover.diagnoses.clock import ClockKind
from changeover.diagnoses.database import DatabaseKind
from changeover.diagnoses.disk import DiskKind
from changeover.diagnoses.endpoint import EndpointKind
from changeover.diagnoses.kind import Kind
from changeover.diagnoses.nginx import NginxKind
from changeover.diagnoses.port import PortKind
from changeover.diagnoses.program import ProgramKind
from changeover.diagnoses.schema import SchemaKind
from changeover.diagnoses.supervisor import SupervisorKind

KINDS: tuple[Kind, ...] = (
    BusyKind(),
    ClockKind(),
    DiskKind(),
    SupervisorKind(),
    DatabaseKind(),
    SchemaKind(),
    NginxKind(),
    CertificateKind(),
    ProgramKind(),
    PortKind(),
    EndpointKind(),
)
