"""The manifest of examples/kubernetes: valid fields, the same volume everywhere, and a command that convexp-train takes."""

import copy
import json
import shlex

import pytest
import yaml
from conftest import ROOT
from jsonschema import Draft202012Validator

FOLDER = ROOT / "examples" / "kubernetes"


@pytest.fixture
def documents():
    return list(yaml.safe_load_all((FOLDER / "rayjob.yaml").read_text()))


@pytest.fixture
def job(documents):
    (found,) = [document for document in documents if document["kind"] == "RayJob"]
    return found


@pytest.fixture
def schema():
    return Draft202012Validator(json.loads((ROOT / "tests" / "support" / "kuberay.schema.json").read_text()))


def pods(job):
    cluster = job["spec"]["rayClusterSpec"]
    return [group["template"]["spec"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]


def test_every_field_is_one_that_kubernetes_or_kuberay_has(documents, schema):
    for document in documents:
        schema.validate(document)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda job: job["spec"].pop("entrypoint"),
        lambda job: job["spec"].update(entryPoint="convexp-train"),
        lambda job: job.update(apiVersion="ray.io/v2"),
        lambda job: job["spec"]["rayClusterSpec"]["headGroupSpec"]["rayStartParams"].update({"num-cpus": 0}),
        lambda job: job["spec"]["rayClusterSpec"]["workerGroupSpecs"][0].update(replicas="1"),
        lambda job: pods(job)[1]["containers"][0]["resources"]["limits"].update(cpu=8),
        lambda job: pods(job)[0]["containers"][0]["volumeMounts"][0].update(mountPath="results"),
    ],
)
def test_the_schema_refuses_what_the_api_server_would(spoil, job, schema):
    wrong = copy.deepcopy(job)
    spoil(wrong)
    assert not schema.is_valid(wrong)


def test_all_pods_have_the_results_at_the_same_path_and_the_same_image(documents, job):
    (claim,) = [document["metadata"]["name"] for document in documents if document["kind"] == "PersistentVolumeClaim"]
    found = set()
    for pod in pods(job):
        (container,) = pod["containers"]
        (mount,) = container["volumeMounts"]
        (volume,) = pod["volumes"]
        assert volume == {"name": mount["name"], "persistentVolumeClaim": {"claimName": claim}}
        found.add((container["image"], mount["mountPath"]))
    ((image, path),) = found
    assert f"outputs={path}" in shlex.split(job["spec"]["entrypoint"])
    version = job["spec"]["rayClusterSpec"]["rayVersion"]
    dockerfile = (FOLDER / "Dockerfile").read_text()
    assert image.endswith(f":{version}")
    assert f"-t {image} ." in dockerfile
    assert f"ray:{version}-py3" in dockerfile
    assert f"ray[default]=={version}" in dockerfile


@pytest.mark.e2e
def test_the_command_is_one(program, job, tmp_path):
    name, *overrides = shlex.split(job["spec"]["entrypoint"])
    done = program(name.removeprefix("convexp-"), *overrides, "--cfg", "hydra", cwd=tmp_path)
    assert done.code == 0, done.err
    hydra = yaml.safe_load(done.out)["hydra"]
    assert hydra["launcher"]["_target_"] == "hydra_plugins.convexp_ray.RayLauncher"
    assert hydra["launcher"]["address"] == "auto"
