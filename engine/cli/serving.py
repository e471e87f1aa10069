"""The command that serves: what was typed and what a file says become settings, and a supervisor runs by them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.opening import LogKeys
from engine.cli.terminal import RULESETS


def serve(
    config: Annotated[
        Path | None,
        typer.Option(
            envvar="PLUIS_CONFIG",
            metavar="FILE",
            help="Settings as TOML; the options here win. `pluis configuration` lists all.",
        ),
    ] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on; 127.0.0.1 when left out.")] = None,
    port: Annotated[int | None, typer.Option(help="50051 when left out; 0: any free port.")] = None,
    http_host: Annotated[str | None, typer.Option(help="The address for HTTP; 127.0.0.1 when left out.")] = None,
    http_port: Annotated[
        int | None, typer.Option(help="JSON, FHIR, CDS Hooks and the interview page; none when left out, 0: any.")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The HTTP server as its callers see it: `https://...`.")
    ] = None,
    rulesets: Annotated[
        Path | None,
        typer.Option(envvar="PLUIS_RULESETS", metavar="DIR", help="The folder with the rulesets.", show_default=False),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that answer; 1 when left out.")] = None,
    threads: Annotated[
        int | None, typer.Option(min=2, help="Calls that a worker has in hand at once; half may be streams.")
    ] = None,
    require_certificate: Annotated[
        bool, typer.Option("--require-certificate", help="Serve only what has a certificate that holds.")
    ] = False,
    require_approval: Annotated[
        bool, typer.Option("--require-approval", help="Serve only what a GP and a physiotherapist approved.")
    ] = False,
    reflection: Annotated[
        bool, typer.Option("--reflection", help="Let callers ask for the contract (gRPC reflection).")
    ] = False,
    trust_proxy: Annotated[
        bool, typer.Option("--trust-proxy", help="Listen anywhere without TLS or callers: what is in front does both.")
    ] = False,
    shadow: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Candidates that decide too, unseen; what differs is counted.", show_default=False
        ),
    ] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="What outlives the process: releases, used tokens, rates.")
    ] = None,
    operations_port: Annotated[
        int | None, typer.Option(help="Metrics and probes over HTTP; none when left out, 0: any free port.")
    ] = None,
    log: Annotated[
        str | None,
        typer.Option(
            envvar="PLUIS_LOG",
            metavar="PLACE",
            help="Where decisions are recorded: a folder, a PostgreSQL URL, or `off`; pluis-log when left out.",
        ),
    ] = None,
    log_keys: LogKeys = None,
    log_format: Annotated[str | None, typer.Option(help="`text` or `json`.")] = None,
) -> None:
    """Serve the rulesets over gRPC, and over HTTP where a port is given, until the process is told to stop."""
    from engine.serve.config import Config
    from engine.serve.configuring import read_config
    from engine.serve.fleet.supervisor import Supervisor
    from engine.serve.standing import Requirement
    from engine.serve.telemetry.lines import set_up_lines

    given = {
        "host": host,
        "port": port,
        "http_host": http_host,
        "http_port": http_port,
        "public_url": public_url,
        "rulesets": rulesets if config or rulesets else RULESETS,
        "workers": workers,
        "threads": threads,
        "max_streams": threads // 2 if threads else None,
        "shadow": shadow,
        "state": state,
        "operations_port": operations_port,
        "log": log,
        "log_keys": log_keys,
        "log_format": log_format,
        "reflection": reflection or None,
        "trust_proxy": trust_proxy or None,
    }
    settings: Config = read_config(config, {name: value for name, value in given.items() if value is not None})
    asked = {Requirement.CERTIFICATE: require_certificate, Requirement.APPROVAL: require_approval}
    required = settings.required | {requirement for requirement, wanted in asked.items() if wanted}
    settings = settings.model_copy(update={"required": required})
    set_up_lines(settings.log_format, "supervisor")
    raise typer.Exit(Supervisor(settings).run())
