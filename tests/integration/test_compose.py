"""
docker-compose.yml and the image, read against what the daemons really take and load.

No container is started: the daemons of this build are asked (--help, --check) with the very
environments that the file gives them, and the addresses it writes are compared with each other.
"""
import os
import pathlib
import re
import shutil
import subprocess
import urllib.parse

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
DAEMONS = sorted(path.parent.name for path in ROOT.glob("services/*/main.c"))


@pytest.fixture(scope="module")
def compose():
    """The file as Compose understands it, with anchors and variables resolved."""
    if shutil.which("docker-compose") is None:
        return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (ROOT / "docker-compose.yml").read_text()))
    shown = subprocess.run(["docker-compose", "config"], cwd=ROOT, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    return yaml.safe_load(shown.stdout)


def known_settings(name):
    shown = subprocess.run([BUILD / f"causerie-{name}", "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^  (CAUSERIE_\w+)=", shown, re.MULTILINE))


def owner(compose, host):
    """The service that a DNS name on Compose's network is."""
    assert host in compose["services"], f"there is no service {host}"
    return compose["services"][host]


def test_the_six_daemons_are_there_with_health_checks_and_restarts(compose):
    for name in DAEMONS:
        service = compose["services"][name]
        assert service["command"] == [f"causerie-{name}"]
        assert service["restart"] == "unless-stopped"
        assert "readyz" in " ".join(service["healthcheck"]["test"])
        assert service["read_only"] and service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", DAEMONS)
def test_a_daemon_takes_the_settings_it_is_given(compose, name, tmp_path):
    settings = {key: str(value) for key, value in compose["services"][name]["environment"].items()}
    (tmp_path / "rpc.key").write_text("0" * 64)
    (tmp_path / "run").mkdir()
    settings.update(CAUSERIE_RPC_KEY_FILE=str(tmp_path / "rpc.key"), CAUSERIE_RUN_DIR=str(tmp_path / "run"))
    checked = subprocess.run([BUILD / f"causerie-{name}", "--check"], env=settings, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("name", DAEMONS)
def test_a_setting_that_names_the_daemon_is_one_it_reads(compose, name):
    own = {key for key in compose["services"][name]["environment"] if key.startswith(f"CAUSERIE_{name.upper()}_")}
    assert own and own <= known_settings(name)


def test_daemons_look_for_each_other_where_they_listen(compose):
    for name in DAEMONS:
        for key, value in compose["services"][name]["environment"].items():
            peer = re.fullmatch(r"CAUSERIE_(\w+)_PEERS", key)
            if peer is None:
                continue
            url = urllib.parse.urlsplit(value)
            assert url.hostname == peer[1].lower()
            listen = owner(compose, url.hostname)["environment"][f"CAUSERIE_{peer[1]}_LISTEN"]
            assert urllib.parse.urlsplit(listen).port == url.port


def test_health_is_asked_where_the_admin_port_is(compose):
    for name in DAEMONS:
        service = compose["services"][name]
        admin = service["environment"][f"CAUSERIE_{name.upper()}_ADMIN_LISTEN"]
        assert f"http://{admin}/readyz" in service["healthcheck"]["test"]


def test_databases_are_those_that_the_initial_script_makes(compose):
    made = re.search(r"\\set services (\S+)", (ROOT / "deploy/postgres/databases.sql").read_text())[1].split(",")
    password = compose["services"]["postgres"]["environment"]["DAEMONS_PASSWORD"]
    for name in made:
        url = urllib.parse.urlsplit(compose["services"][name]["environment"][f"CAUSERIE_{name.upper()}_DATABASE_URL"])
        assert (url.username, url.password, url.hostname) == (f"causerie_{name}", password, "postgres")
        assert url.path == f"/causerie_{name}"
    assert made == sorted(path.parent.name for path in ROOT.glob("services/*/migrations") if path.parent.name != "lib")


def test_only_the_gateway_is_reached_from_outside(compose):
    published = {name: service["ports"] for name, service in compose["services"].items() if service.get("ports")}
    assert set(published) == {"gateway"}
    assert "127.0.0.1" in str(published["gateway"])


def test_related_and_the_gateway_start_on_what_the_demo_left(compose):
    for name in ("related", "gateway"):
        assert compose["services"][name]["depends_on"]["demo"]["condition"] == "service_completed_successfully"


def test_what_compose_mounts_and_the_image_copies_is_there(compose):
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume["source"] if isinstance(volume, dict) else volume.split(":")[0]
            if source.startswith((".", "/")):
                assert pathlib.Path(ROOT, source).exists(), source
    for line in re.findall(r"^COPY (?!--from)(.*)$", (ROOT / "deploy/docker/Dockerfile").read_text(), re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source


def test_the_image_copies_every_daemon():
    text = (ROOT / "deploy/docker/Dockerfile").read_text()
    assert set(re.findall(r"/src/build/causerie-(\w+)", text)) == set(DAEMONS)


def libraries(name):
    shown = subprocess.run(["objdump", "-p", BUILD / f"causerie-{name}"], capture_output=True, text=True, check=True)
    needed = set(re.findall(r"NEEDED\s+(\S+)", shown.stdout))
    return {library for library in needed if not re.match(r"lib(asan|ubsan)\.", library)}  # SANITIZE=1


def test_the_image_has_the_libraries_that_the_daemons_load():
    listed = {line.split()[1] for line in (ROOT / "deploy/packages.txt").read_text().splitlines()
              if line.startswith("image ")} | {"libc6", "libgcc-s1"}
    needed = set().union(*map(libraries, DAEMONS))
    found = subprocess.run(["dpkg", "-S", *(f"*/{library}" for library in needed)], capture_output=True, text=True)
    owners = {}
    for line in found.stdout.splitlines():
        package, path = line.split(": ", 1)
        owners.setdefault(pathlib.Path(path).name, set()).add(package.split(":")[0])
    assert [library for library in needed if not owners.get(library, set()) & listed] == []


def test_the_image_asks_for_libevents_fixed_version():
    lines = [line.split() for line in (ROOT / "deploy/packages.txt").read_text().splitlines()]
    floors = {line[1]: line[2] for line in lines if len(line) == 3 and line[0] in ("build", "image")}
    assert floors["libevent-dev"] == "2.1.12-stable-8+deb12u1"
    assert all(floors[name] == floors["libevent-dev"] for line in lines
               if line and line[0] == "image" and (name := line[1]).startswith("libevent"))


def manifests():
    for path in sorted(ROOT.glob("deploy/kubernetes/*.yaml")):
        yield from filter(None, yaml.safe_load_all(path.read_text()))


@pytest.mark.parametrize("name", DAEMONS)
def test_a_daemon_takes_the_settings_of_kubernetes(name, tmp_path):
    settings = next(one["data"] for one in manifests() if one["kind"] == "ConfigMap")
    (tmp_path / "rpc.key").write_text("0" * 64)
    settings = {**settings, "CAUSERIE_RPC_KEY_FILE": str(tmp_path / "rpc.key"), "CAUSERIE_RUN_DIR": str(tmp_path)}
    checked = subprocess.run([BUILD / f"causerie-{name}", "--check"], env=settings, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_kubernetes_runs_every_daemon_and_finds_it():
    documents = list(manifests())
    deployments = {one["metadata"]["name"]: one for one in documents if one["kind"] == "Deployment"}
    services = {one["metadata"]["name"]: one for one in documents if one["kind"] == "Service"}
    assert set(deployments) == set(services) == set(DAEMONS)
    for name, deployment in deployments.items():
        pod = deployment["spec"]["template"]
        assert pod["spec"]["containers"][0]["command"] == [f"causerie-{name}"]
        assert services[name]["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        assert (services[name]["spec"].get("clusterIP") == "None") == (name != "gateway")
