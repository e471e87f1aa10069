"""What a server is told to do: every setting, its default and its words. The reference is made out of this file."""

from __future__ import annotations

import ipaddress
import re
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.errors import LogRefused, PluisError
from engine.record.place import DEFAULT, place_of
from engine.serve.standing import Requirement

KIB = 1024
LOG_OFF = "off"
"""Said instead of a place for the log: nothing is recorded."""
INTERVIEW = "interview"
"""The caller of decisions that people asked for themselves, in the decision log."""

URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?")

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,99}$")]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class ConfigError(PluisError):
    """A server cannot be run as it is told to; the message names every fault."""


class Right(Enum):
    """What a caller may do. `engine.serve.access.rights` says which rpc needs which."""

    EVALUATE = "evaluate"
    """Ask for decisions, and say what people did with them."""
    RULESETS = "rulesets"
    """See the rulesets and questionnaires."""
    AUDIT = "audit"
    """Look decisions up."""
    ADMIN = "admin"
    """Reload and roll back rulesets, and see how the server is doing."""


class Use(Enum):
    """How often one token may come."""

    ONCE = "once"
    """Each token has a `jti`, and is refused when it comes again."""
    UNTIL_EXPIRY = "until-expiry"
    """As often as its holder likes, until it expires."""


Algorithm = Literal["ES256", "ES384", "ES512", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
"""Asymmetric ones only: with `none` or an HMAC anybody could write a token."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Tls(_Section):
    """TLS for callers. The files are read again when they change: a new certificate needs no restart."""

    certificate: Path
    """The server's certificate, with those that lead to its authority (PEM)."""
    key: Path
    """Its private key (PEM)."""
    client_authorities: Path | None = None
    """Authorities of callers' certificates (PEM). With it every caller must show a certificate of one of them."""


class Issuer(_Section):
    """Who may write tokens (JWT) for this server."""

    issuer: Name
    """The `iss` of its tokens, exactly."""
    audience: Annotated[tuple[Name, ...], Field(min_length=1)]
    """What its tokens must name in `aud`: one of these, exactly."""
    keys: str
    """Its public keys (JWKS): a file, or an `https://` address."""
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = ("ES256", "ES384", "RS384")
    """How its tokens may be signed."""
    use: Use = Use.ONCE
    """Whether one token counts for one call."""
    longest: Seconds = 3600
    """The longest life of a token, in seconds."""
    leeway: Annotated[float, Field(ge=0, le=300)] = 30
    """How far its clock may differ from ours, in seconds."""


class CallerSettings(_Section):
    """A program that may call, known by its token or by its certificate."""

    name: Name
    """As it is called in the decision log, the log lines and the metrics."""
    issuer: str = ""
    """Of its tokens; one of `issuers`."""
    subject: str = ""
    """The `sub` of its tokens, exactly."""
    certificate: str = ""
    """Or a name in its certificate: a DNS or URI alternative name; where there are none, the common name."""
    rights: frozenset[Right]
    """What it may do."""
    rate: Rate | None = None
    """Calls in a second, over all workers; the server's `rate` where it is left out."""

    @model_validator(mode="after")
    def _known_by_one(self) -> Self:
        if bool(self.issuer and self.subject) == bool(self.certificate) or bool(self.issuer) != bool(self.subject):
            raise ValueError("a caller is known by `issuer` and `subject`, or by `certificate`")
        return self


class LogFormat(Enum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


class Config(_Section):
    """Settings of one server. Sizes are bytes, times seconds. Raises ConfigError for settings that cannot be.

    >>> Config(rulesets=Path("rulesets"), port=0).address
    '127.0.0.1:0'
    """

    rulesets: Path
    """The folder with the rulesets."""
    host: str = "127.0.0.1"
    """The address to listen on. Other than loopback needs TLS and callers, or `trust_proxy`."""
    port: Annotated[int, Field(ge=0, le=65535)] = 50051
    """0: any free port."""
    http_host: str = "127.0.0.1"
    """The address for HTTP. Other than loopback needs TLS and callers, or `trust_proxy`, as `host` does."""
    http_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """JSON, FHIR, CDS Hooks and the interview page over HTTP; 0: any free port; None: none. Its callers are known by
    their tokens: those known by a certificate can use gRPC only."""
    public_url: str = ""
    """The HTTP server as its callers see it, such as `https://triage.example.org`; where it listens when left out."""
    origins: tuple[str, ...] = ()
    """Other web sites whose pages may call (CORS), exactly: `https://ehr.example.org`. Leaving a site out stops only
    browsers."""
    interview: bool = False
    """Whether people may answer the questions at `/` themselves, without a token; the log has `interview` as their
    caller. Always so where there are no `callers`."""
    interview_rulesets: tuple[Name, ...] = ()
    """The rulesets that people may choose there, by their ids; all that are served when left out, drafts too."""
    trust_proxy: bool = False
    """Listen on any address without TLS or callers: whatever stands in front does both. Anybody who gets past it may
    do everything."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that answer; one for each core. Clients spread over them by their connections."""
    threads: Annotated[int, Field(ge=2)] = 32
    """Calls that a worker works on at once. Most of them wait for the decision log: fewer would leave it idle."""
    max_streams: Count = 8
    """Streams that may be open in a worker at once. Each holds a thread, so some threads must be left over."""
    max_waiting: Count = 96
    """Calls that may wait in a worker for a thread; more are refused at once."""
    max_request_size: Count = 256 * KIB
    """One patient's request; a batch may be as large as `max_message_size`."""
    max_message_size: Count = 4096 * KIB
    """The largest message that is taken at all."""
    max_answers: Count = 500
    """Answers in one request."""
    max_batch: Count = 1000
    """Patients in one batch."""
    rate: Rate | None = None
    """Calls of one caller in a second, over all workers; a burst may take one second's worth at once. None: any."""
    max_connection_age: Seconds | None = None
    """After this a connection is closed, and its client connects anew, perhaps to another worker. None: never."""
    drain: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """How long a server that stops goes on answering after health said NOT_SERVING, so that balancers notice."""
    grace: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 10.0
    """How long calls that are in flight may take when the server stops."""
    hang: Seconds = 15.0
    """A worker that has not answered a trial evaluation for so long is replaced."""
    reflection: bool = False
    """Whether callers may ask for the contract (gRPC reflection)."""
    required: frozenset[Requirement] = frozenset()
    """What a version must have before it is served, beside cases that pass: `certificate`, `approval`."""
    state: Path = Path("pluis-state")
    """A folder for what outlives a process: releases of rulesets, used tokens, rates."""
    watch: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 2.0
    """How often the folder of rulesets is looked at for changes; 0: never, SIGHUP only."""
    shadow: Path | None = None
    """A folder with candidates: each decision is made by them too, compared and counted, and told to nobody."""
    shadow_waiting: Count = 256
    """Evaluations that may wait for the shadow; more are dropped and counted."""
    log: str = DEFAULT
    """Where decisions are recorded: a folder, the URL of a PostgreSQL database, or `off`."""
    log_keys: Path | None = None
    """The file with the log's keys, made when there is none; beside the log's folder where it is left out."""
    log_patience: Seconds = 10.0
    """How long a call waits until its decision is durable, before it fails."""
    log_format: LogFormat = LogFormat.TEXT
    """How log lines look: `text` or `json`."""
    operations_host: str = "127.0.0.1"
    """The address of the operators' port. It has no TLS and no authentication: keep it inside."""
    operations_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """Metrics for Prometheus (`/metrics`) and probes (`/livez`, `/readyz`) over HTTP; 0: any free port; None: none."""
    traces: str = ""
    """Where OpenTelemetry traces go (OTLP over gRPC, such as `http://127.0.0.1:4317`); needs the extra `traces`."""
    tls: Tls | None = None
    issuers: tuple[Issuer, ...] = ()
    callers: tuple[CallerSettings, ...] = ()

    def __init__(self, **settings: Any) -> None:
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise ConfigError("; ".join(_told(each["loc"], each["msg"]) for each in error.errors())) from None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        faults = [
            *_faults_of_callers(self),
            *_faults_of_urls(self),
            *_faults_of_limits(self),
            *_faults_of_places(self),
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def address(self) -> str:
        """Host and port as gRPC takes them."""
        return address(self.host, self.port)

    @property
    def authenticated(self) -> bool:
        """Whether callers must show who they are."""
        return bool(self.callers)

    @property
    def exposed(self) -> tuple[str, ...]:
        """Those of the addresses where other machines reach this server."""
        hosts = (self.host,) if self.http_port is None else (self.host, self.http_host)
        return tuple(host for host in dict.fromkeys(hosts) if not is_loopback(host))


def address(host: str, port: int) -> str:
    """Host and port in one; an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _told(place: tuple[int | str, ...], message: str) -> str:
    said = message.removeprefix("Value error, ")
    return f"`{'.'.join(map(str, place))}`: {said[:1].lower()}{said[1:]}" if place else said


def _faults_of_callers(config: Config) -> list[str]:
    faults = []
    if not config.trust_proxy and not (config.tls and config.authenticated):
        faults += [
            f"`{host}` can be reached from other machines: give `tls` and `callers`, or `trust_proxy` where "
            "something in front does both; or use 127.0.0.1"
            for host in config.exposed
        ]
    known = [issuer.issuer for issuer in config.issuers]
    faults += [
        f"issuer `{name}` stands there twice" for name in sorted({each for each in known if known.count(each) > 1})
    ]
    names = [caller.name for caller in config.callers]
    faults += [
        f"caller `{name}` stands there twice" for name in sorted({each for each in names if names.count(each) > 1})
    ]
    shown = [(caller.issuer, caller.subject, caller.certificate) for caller in config.callers]
    faults += [
        f"caller `{caller.name}` is known by what another is known by"
        for number, caller in enumerate(config.callers)
        if shown[number] in shown[:number]
    ]
    for caller in config.callers:
        if caller.name == INTERVIEW:
            faults.append(f"no caller can be called `{INTERVIEW}`: so are people who answer themselves")
        if caller.issuer and caller.issuer not in known:
            faults.append(f"caller `{caller.name}` has tokens of `{caller.issuer}`, which is not among `issuers`")
        if caller.certificate and (config.tls is None or config.tls.client_authorities is None):
            faults.append(f"caller `{caller.name}` is known by a certificate: give `tls.client_authorities`")
    if config.issuers and not config.callers:
        faults.append("there are `issuers`, and no `callers`: nobody could call")
    return faults


def _faults_of_urls(config: Config) -> list[str]:
    faults = []
    if config.public_url and (not _is_url(config.public_url) or config.public_url.endswith("/")):
        faults.append("`public_url` must be an address such as `https://triage.example.org`, with no slash at its end")
    faults += [
        f"`origins`: `{origin}` is no origin such as `https://ehr.example.org`"
        for origin in config.origins
        if not _is_url(origin) or urlsplit(origin).path
    ]
    return faults


def _is_url(text: str) -> bool:
    """Whether it is the address of a server, with or without a path."""
    if not URL.fullmatch(text):
        return False
    try:
        return bool(urlsplit(text).hostname) and urlsplit(text).port != 0
    except ValueError:  # no port that there can be
        return False


def _faults_of_limits(config: Config) -> list[str]:
    if config.max_streams >= config.threads:
        return ["`max_streams` must be at least 1 and below `threads`: streams hold threads"]
    return []


def _faults_of_places(config: Config) -> list[str]:
    if config.log == LOG_OFF:
        return []
    try:
        place_of(config.log, config.log_keys)
    except LogRefused as error:
        return [str(error)]
    return []
