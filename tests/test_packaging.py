"""What is shipped: the wheel has all it needs, the container runs as nobody special, secrets have no defaults."""

import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from flaskart.kit.db import Database
from tests.servers import environment

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as it would be released. The build back end is called directly, so nothing is downloaded."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    of_package = {
        path.relative_to(SOURCE).as_posix()
        for path in (SOURCE / "flaskart").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("flaskart/")}

    assert shipped == of_package
    assert {
        "flaskart/py.typed",
        "flaskart/cli/goods.toml",
        "flaskart/migrations/env.py",
        "flaskart/migrations/script.py.mako",
        "flaskart/migrations/versions/0001_accounts.py",
        "flaskart/web/static/docs.html",
    } <= shipped


def test_a_shop_is_set_up_from_the_wheel_alone(wheel: Path, database_url: str, db: Database, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    settings = environment(database_url, PYTHONPATH=str(tmp_path))

    assert str(tmp_path) in run("import flaskart; print(flaskart.__file__)", settings, tmp_path)
    for command in (["db", "downgrade", "base", "--yes"], ["init"]):
        run(f"from flaskart.cli import cli; cli({command})", settings, tmp_path)
    loaded = run("from flaskart.cli import cli; cli(['demo', '--products', '3'])", settings, tmp_path)

    assert loaded == "Loaded 3 products.\n"


def run(program: str, settings: Mapping[str, str], folder: Path) -> str:
    """Return what a program prints."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=settings, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def test_the_container_runs_as_an_ordinary_user_and_tells_its_health() -> None:
    final_stage = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]

    [user] = re.findall(r"^USER (\d+):\d+$", final_stage, re.MULTILINE)
    assert int(user) >= 1_000
    assert re.search(r"^HEALTHCHECK .*\\\n +CMD .*urllib\.request.*/healthz", final_stage, re.MULTILINE)
    assert re.search(r"^CMD .*flaskart serve --host 0\.0\.0\.0", final_stage, re.MULTILINE)
    assert "SECRET_KEY=" not in final_stage


def test_the_image_is_built_from_files_that_it_is_given() -> None:
    given = (ROOT / ".dockerignore").read_text().splitlines()

    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    names = {name for line in copied for name in line.split()}
    assert names == {line.removeprefix("!") for line in given if line.startswith("!")}
    assert all((ROOT / name).exists() for name in names)


def test_compose_has_no_secret_of_its_own() -> None:
    text = (ROOT / "compose.yaml").read_text()
    web = yaml.safe_load(text)["services"]["web"]

    assert set(re.findall(r"\$\{(\w+):\?[^}]+\}", text)) == {"POSTGRES_PASSWORD", "FLASKART_SECRET_KEY"}
    assert text.count("${") == len(re.findall(r"\$\{\w+:\?", text))
    assert web["environment"].keys() == {"FLASKART_DATABASE_URL", "FLASKART_SECRET_KEY"}


def test_compose_starts_the_shop_when_its_database_is_there() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]

    assert services["web"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert "pg_isready" in services["db"]["healthcheck"]["test"]


def test_every_change_is_checked_and_tested_on_both_pythons() -> None:
    [job] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"].values()

    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make check", "make test"]
