"""What operators are given holds together, and names what exists: image, manifests, alerts, dashboard, runbook."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import promql_parser
import pytest
import yaml

import engine
from engine.serve.access.rights import RIGHT_OF
from engine.serve.config import Config
from engine.serve.configuring import read_config
from engine.serve.errors import CONTRADICTION, TABLE, UNEXPECTED
from engine.serve.telemetry import metrics

ROOT = Path(__file__).resolve().parent.parent

COLLECTED = {"up": {"job", "instance"}}
"""What Prometheus itself measures."""
ADDED = {"job", "instance"}
"""Labels that Prometheus adds to everything that it collects."""


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# ---- metrics ----


def known_metrics() -> dict[str, set[str]]:
    """Every series with its labels, by the table in the docstring; a histogram has three."""
    found: dict[str, set[str]] = dict(COLLECTED)
    rows = re.findall(r"^    (pluis_\w+) +(counter|gauge|histogram) +(.*)$", metrics.__doc__ or "", re.MULTILINE)
    for name, kind, rest in rows:
        labels = set(re.split(r" {2,}", rest)[0].split()) - {"-"} | ADDED
        if kind == "histogram":
            found |= {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}
        else:
            found[name] = labels
    return found


METRICS = known_metrics()
WORDS = {
    "method": set(RIGHT_OF),
    "reason": {row.reason for row in (*TABLE.values(), CONTRADICTION, UNEXPECTED)} | {"crashed", "hung"},
    "verdict": {"accepted", "overridden"},
    "state": {"ready", "wanted"},
}
"""Labels whose words are all known: a name that is compared with must be one of them."""


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(read("alerts.yaml"))["groups"] for rule in group["rules"]]


def dashboard() -> Any:
    return json.loads(read("dashboard.json"))


def expressions() -> Iterator[str]:
    for rule in alerts():
        yield rule["expr"]
    content = dashboard()
    told = [target["expr"] for panel in content["panels"] for target in panel.get("targets", ())]
    told += [each["expr"] for each in content["annotations"]["list"]]
    yield from (each.replace("$__rate_interval", "5m") for each in told)


def faults_of(expression: str) -> Iterator[str]:
    """What an expression says that no server ever counts."""
    promql_parser.parse(expression)
    plain = re.sub(r'"[^"]*"', '""', expression)
    used = set(re.findall(r"\b(pluis_\w+|up)\b", plain))
    yield from (f"no metric `{name}`" for name in used - METRICS.keys())
    for name, selectors in re.findall(r"\b(pluis_\w+|up)\{((?:[^}\"]|\"[^\"]*\")*)\}", expression):
        for label, operator, value in re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', selectors):
            if label not in METRICS.get(name, ()):
                yield f"`{name}` has no label `{label}`"
            known = WORDS.get(label, ())
            words = value.split("|") if operator in ("=~", "!~") else [value]
            yield from (
                f"`{label}` is never `{word}`"
                for word in words
                if known and not any(re.fullmatch(word, each) for each in known)
            )
    labels = set().union(*(METRICS[name] for name in used & METRICS.keys()))
    for listed in re.findall(r"\b(?:by|on|ignoring) \(([^)]*)\)", plain):
        yield from (f"no label `{label}`" for label in re.findall(r"\w+", listed) if label not in labels)


def test_metrics_are_read_from_their_table() -> None:
    assert len(METRICS) > 20
    assert METRICS["pluis_calls_total"] == {"method", "code", "caller", *ADDED}
    assert "le" in METRICS["pluis_log_write_duration_seconds_bucket"]


def test_every_expression_is_about_what_is_measured() -> None:
    assert [(expression, list(faults_of(expression))) for expression in expressions() if [*faults_of(expression)]] == []


@pytest.mark.parametrize(
    "expression",
    [
        "pluis_nonsense > 1",
        'pluis_calls_total{kode="OK"}',
        'pluis_calls_total{method="Evaluat"}',
        'pluis_refusals_total{reason=~"OVERLOADED|OVERLODED"}',
        "sum by (color) (pluis_calls_total)",
        "pluis_call_duration_seconds",
    ],
)
def test_a_slip_in_an_expression_is_noticed(expression: str) -> None:
    assert [*faults_of(expression)]


def test_an_expression_must_be_one() -> None:
    with pytest.raises(ValueError):
        promql_parser.parse("sum by (pluis_calls_total")


# ---- alerts and runbook ----


def test_every_alert_has_what_people_need() -> None:
    for rule in alerts():
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"].keys() == {"severity"} and rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"].keys() == {"summary", "runbook_url"}
        assert rule["annotations"]["runbook_url"] == f"RUNBOOK.md#{rule['alert'].lower()}"
        for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
            assert label in set().union(*METRICS.values()), f"{rule['alert']}: {label}"


def test_every_alert_has_its_entry_and_every_entry_its_alert() -> None:
    entries = re.split(r"^## ", read("RUNBOOK.md"), flags=re.MULTILINE)[1:]
    assert [entry.splitlines()[0] for entry in entries] == list(dict.fromkeys(rule["alert"] for rule in alerts()))
    for entry in entries:
        parts = re.findall(r"^\*\*(For patients|Look|Do|Over)\b", entry, re.MULTILINE)
        assert parts == ["For patients", "Look", "Do", "Over"], entry.splitlines()[0]


def test_runbook_names_metrics_that_exist() -> None:
    """It may name a histogram by its family."""
    families = {re.sub("_(bucket|sum|count)$", "", name) for name in METRICS} | METRICS.keys()
    assert set(re.findall(r"\bpluis_\w+", read("RUNBOOK.md"))) - families == set()


def test_dashboard_is_well_formed() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
        assert panel["title"] and (panel["type"] == "row" or panel["targets"])


# ---- Kubernetes ----


def manifests() -> dict[tuple[str, str], Any]:
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(read("kubernetes.yaml"))}


MANIFESTS = manifests()
POD = MANIFESTS["Deployment", "pluis"]["spec"]["template"]["spec"]
CONTAINERS = [*POD["initContainers"], *POD["containers"]]
(SERVER,) = POD["containers"]


@pytest.mark.parametrize("kind, name", MANIFESTS)
def test_a_manifest_fits_its_schema(kind: str, name: str) -> None:
    kubernetes_validate.validate(MANIFESTS[kind, name], kubernetes_validate.latest_version(), strict=True)


def test_a_wrong_manifest_is_noticed() -> None:
    wrong = {**MANIFESTS["Service", "pluis"], "spek": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, kubernetes_validate.latest_version(), strict=True)


def test_pods_have_no_rights() -> None:
    whole = POD["securityContext"]
    assert whole["runAsNonRoot"] is True and whole["runAsUser"] == image_user() > 0
    assert whole["seccompProfile"] == {"type": "RuntimeDefault"}
    assert POD["automountServiceAccountToken"] is False
    for each in CONTAINERS:
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert each["image"] == f"pluis:{engine.__version__}"
        assert {"memory"} <= each["resources"]["limits"].keys()


def test_pods_are_probed_and_have_time_to_end(tmp_path: Path) -> None:
    ports = {port["name"]: port["containerPort"] for port in SERVER["ports"]}
    config = settings(tmp_path)
    assert ports == {"grpc": config.port, "operations": config.operations_port}
    paths = {probe: SERVER[f"{probe}Probe"]["httpGet"] for probe in ("startup", "readiness", "liveness")}
    assert {probe: each["path"] for probe, each in paths.items()} == {
        "startup": "/readyz",
        "readiness": "/readyz",
        "liveness": "/livez",
    }
    assert {each["port"] for each in paths.values()} == {"operations"}
    assert POD["terminationGracePeriodSeconds"] > config.drain + config.grace + 5


def settings(folder: Path) -> Config:
    path = folder / "pluis.toml"
    path.write_text(MANIFESTS["ConfigMap", "pluis"]["data"]["pluis.toml"], encoding="utf-8")
    return read_config(path, {"log": "postgresql://pluis@db/pluis"})


def test_settings_of_pods_are_true(tmp_path: Path) -> None:
    """The settings are read as the server reads them, and every file in them lies where something is mounted."""
    config = settings(tmp_path)
    assert config.exposed and config.authenticated and not config.trust_proxy and config.tls is not None
    mounted = [mount["mountPath"] for mount in SERVER["volumeMounts"]]
    writable = [mount["mountPath"] for mount in SERVER["volumeMounts"] if not mount.get("readOnly")]
    assert config.tls.client_authorities is not None and config.log_keys is not None
    files = [config.tls.certificate, config.tls.key, config.tls.client_authorities, Path(config.issuers[0].keys)]
    assert [str(path) for path in files if str(path.parent) not in mounted] == []
    assert str(config.state) in writable and str(config.log_keys.parent) in writable
    copy = POD["initContainers"][0]
    assert copy["command"][-1] == str(config.log_keys)
    assert str(config.rulesets) == re.search(r"^COPY rulesets (\S+)$", read("Dockerfile"), re.MULTILINE)[1]  # type: ignore[index]


def test_secrets_are_in_no_file() -> None:
    assert {kind for kind, _ in MANIFESTS} == {
        "ConfigMap",
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "NetworkPolicy",
    }
    (log,) = [each for each in SERVER["env"] if each["name"] == "PLUIS_LOG"]
    assert "secretKeyRef" in log["valueFrom"]


def test_volumes_and_mounts_fit() -> None:
    volumes = {volume["name"] for volume in POD["volumes"]}
    assert {mount["name"] for each in CONTAINERS for mount in each["volumeMounts"]} == volumes


def test_everything_selects_the_pods() -> None:
    labels = {"app": "pluis"}
    deployment = MANIFESTS["Deployment", "pluis"]["spec"]
    assert deployment["template"]["metadata"]["labels"] == deployment["selector"]["matchLabels"] == labels
    assert MANIFESTS["Service", "pluis"]["spec"]["selector"] == labels
    assert MANIFESTS["Service", "pluis-pods"]["spec"]["selector"] == labels
    assert MANIFESTS["Service", "pluis-pods"]["spec"]["clusterIP"] == "None"
    budget = MANIFESTS["PodDisruptionBudget", "pluis"]["spec"]
    assert budget["selector"]["matchLabels"] == labels and budget["minAvailable"] < deployment["replicas"]
    policy = MANIFESTS["NetworkPolicy", "pluis"]["spec"]
    assert policy["podSelector"]["matchLabels"] == labels and set(policy["policyTypes"]) == {"Ingress", "Egress"}


# ---- the image ----


def instructions() -> list[tuple[str, str]]:
    lines = [line for line in read("Dockerfile").splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def image_user() -> int:
    """Who the last stage runs as; Kubernetes wants a number to see that it is not root."""
    told = instructions()
    last = max(number for number, (word, _) in enumerate(told) if word == "FROM")
    users = [rest for word, rest in told[last:] if word == "USER"]
    found = re.fullmatch(r"([0-9]+):[0-9]+", users[-1])
    assert found
    return int(found[1])


def test_the_image_fetches_nothing_unchecked() -> None:
    told = instructions()
    assert "ADD" not in {word for word, _ in told}
    runs = " && ".join(rest for word, rest in told if word == "RUN")
    assert not re.search(r"\b(curl|wget|git)\b|://", runs)
    installs = re.findall(r"pip (?:--python \S+ )?(?:install|wheel) [^&]*", runs)
    assert len(installs) == 4
    assert [each for each in installs if "--require-hashes" not in each and "--no-index" not in each] == []


def test_the_image_builds_as_the_makefile_does() -> None:
    flags = re.search(r"^export CPPFLAGS \+= (\S+)$", read("Makefile"), re.MULTILINE)
    assert flags and f"CPPFLAGS={flags[1]}" in read("Dockerfile")
    extras = set(re.findall(r"^ARG EXTRAS=(\S+)$", read("Dockerfile"), re.MULTILINE)[0].split(","))
    assert extras <= tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"].keys()


def test_the_image_is_made_of_what_the_context_holds() -> None:
    sources = {
        source
        for word, rest in instructions()
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    kept = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}
    assert sources == kept
    assert read(".dockerignore").splitlines()[1] == "*"
    assert [name for name in sources if not (ROOT / name).exists()] == []


def test_the_image_has_no_rights_and_looks_after_itself() -> None:
    told = instructions()
    assert image_user() >= 10000
    words = [word for word, _ in told]
    assert words.index("HEALTHCHECK") > words.index("USER") > words.index("VOLUME")
    assert not [rest for word, rest in told[words.index("USER") :] if word in ("RUN", "COPY", "USER")][1:]
    (volumes,) = [json.loads(rest) for word, rest in told if word == "VOLUME"]
    assert volumes == ["/var/lib/pluis/state", "/var/lib/pluis/log", "/var/lib/pluis/keys"]


@pytest.mark.parametrize("name", ["Dockerfile", "kubernetes.yaml", "OPERATIONS.md"])
def test_versions_of_the_image_are_this_one(name: str) -> None:
    assert set(re.findall(r"\bpluis:(\d+\.\d+\.\d+)", read(name))) == {engine.__version__}
