"""The manifests fit Kubernetes' own schemas, strictly, and the pods may do nothing beyond their work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from garrison.policy.load import load
from tests.deploy.places import DEPLOY, documents, in_venv, judged, policies

FILES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
POLICY = load(policies()["kubernetes"])


def named(kind: str) -> dict[str, Any]:
    (found,) = (each for each in documents() if each["kind"] == kind)
    return found


POD = named("Deployment")["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


def held(path: Path) -> bool:
    """Tell whether every object has a schema and fits it; without one the validator only warns."""
    found = judged(in_venv("kubernetes-validate"), "--strict", path)
    return found.held and "WARN" not in found.text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_schemas_hold(path: Path) -> None:
    assert held(path)


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("workers.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true"),
        ("workers.yaml", "runAsNonRoot: true", "runAsNonRoot: yes please"),
        ("workers.yaml", "replicas: 3", 'replicas: "3"'),
        ("workers.yaml", "  selector:\n    matchLabels: { app.kubernetes.io/name: tasks }\n  template", "  template"),
        ("workers.yaml", "apiVersion: autoscaling/v2", "apiVersion: autoscaling/v2beta1"),
        ("network.yaml", "podSelector: {}", "podSelectors: {}"),
        ("network.yaml", "pathType: Prefix", ""),
        ("network.yaml", "policyTypes: [Ingress, Egress]", "policyTypes: Ingress"),
        ("policy.yaml", "data:", "datum:"),
        ("namespace.yaml", "automountServiceAccountToken: false", "automountServiceAccountToken: never"),
    ],
)
def test_the_schemas_find_what_is_planted(tmp_path: Path, file: str, right: str, wrong: str) -> None:
    text = (DEPLOY / "kubernetes" / file).read_text("utf-8")
    assert right in text
    (tmp_path / file).write_text(text.replace(right, wrong), "utf-8")

    assert not held(tmp_path / file)


def test_a_pod_is_nobody_writes_nowhere_and_keeps_no_right() -> None:
    assert POD["securityContext"]["runAsNonRoot"]
    assert POD["securityContext"]["runAsUser"] > 9999
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert POD["automountServiceAccountToken"] is False
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert CONTAINER["resources"].keys() == {"requests", "limits"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & POD.keys()
    assert all(mount.get("readOnly") for mount in CONTAINER["volumeMounts"] if mount["mountPath"] != "/tmp")
    assert named("Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_no_secret_is_in_the_set_or_in_a_variable() -> None:
    assert "Secret" not in {each["kind"] for each in documents()}
    assert {variable["name"] for variable in CONTAINER["env"]}.isdisjoint({"GARRISON_ROOT_KEY", "PGPASSWORD"})


def test_the_policys_secrets_are_mounted_for_the_group_of_the_pod_alone() -> None:
    (volume,) = (each["secret"] for each in POD["volumes"] if "secret" in each)
    (mount,) = (each["mountPath"] for each in CONTAINER["volumeMounts"] if each["name"] == "secrets")

    for reference in (POLICY.secrets.root, POLICY.stores.password, POLICY.stores.counters_password):
        assert reference.startswith(f"file:{mount}/")
    assert volume["defaultMode"] == 0o440


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_a_probe_asks_what_needs_no_store_at_a_host_that_is_served(probe: str) -> None:
    """kubelet would ask by the pod's address, which no policy serves."""
    asked = CONTAINER[probe]["httpGet"]

    assert asked["path"] == POLICY.operations.ready
    assert [field["value"] for field in asked["httpHeaders"] if field["name"] == "Host"] == list(POLICY.hosts)


def test_what_is_not_ready_is_taken_out_long_before_what_hangs_is_ended() -> None:
    ready, alive = CONTAINER["readinessProbe"], CONTAINER["livenessProbe"]

    assert ready["periodSeconds"] * ready["failureThreshold"] <= 2
    assert alive["periodSeconds"] * alive["failureThreshold"] >= 30


def test_no_more_pods_than_the_policy_counts_on() -> None:
    assert named("HorizontalPodAutoscaler")["spec"]["maxReplicas"] == POLICY.workers


def test_nothing_passes_that_no_policy_names() -> None:
    policies = [each["spec"] for each in documents() if each["kind"] == "NetworkPolicy"]

    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in policies
    assert all({"from", "ports"} <= rule.keys() for each in policies for rule in each.get("ingress", []))
    assert all({"to", "ports"} <= rule.keys() for each in policies for rule in each.get("egress", []))


def test_every_reference_leads_somewhere() -> None:
    """All objects are in one namespace, and select the pods that there are."""
    labels = named("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert {each["metadata"].get("namespace", "tasks") for each in documents()} == {"tasks"}
    assert named("Service")["spec"]["selector"].items() <= labels.items()
    assert named("PodDisruptionBudget")["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert {volume["name"] for volume in POD["volumes"]} == {mount["name"] for mount in CONTAINER["volumeMounts"]}
