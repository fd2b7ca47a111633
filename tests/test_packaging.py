"""The wheel and the sdist."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from mock_server.messages import extras
from tests.conftest import ROOT

DATA = ["openapi.yaml", "openapi.overlay.yaml", "fixtures/seed.yaml"]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist of this tree."""
    folder = tmp_path_factory.mktemp("dist")
    hatch = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(hatch, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return folder


@pytest.mark.slow
def test_the_wheel_has_the_contract_and_the_fixtures(built: Path) -> None:
    """It contains nothing that is not meant for users."""
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert {f"mock_server/_data/{name}" for name in DATA} <= names
    assert {
        "alta_client/py.typed",
        "contract_tests/consumer/check.py",
        "contract_tests/py.typed",
        "mock_server/py.typed",
        "mock_server/contract/assumptions.yaml",
        "mock_server/store/seed.schema.yaml",
        "mock_server/web/static/page.js",
        "mock_server/web/static/objects.js",
        "mock_server/web/templates/page.html",
    } <= names
    assert len([name for name in names if name.startswith("mock_server/_data/fixtures/bodies/")]) >= 75
    assert not any(name.startswith(("tests/", "docs/")) for name in names)
    assert any(name.endswith("/licenses/LICENSE") for name in names)


@pytest.mark.slow
def test_the_sdist_has_all_to_build_and_test(built: Path) -> None:
    """It also contains the tests and the documentation."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {
        *DATA,
        "README.md",
        "LICENSE",
        "Makefile",
        "mkdocs.yml",
        "mkdocs_hook.py",
        "tests/conftest.py",
        "docs/errors.md",
    } <= names


@pytest.fixture
def installed(built: Path, tmp_path: Path) -> Path:
    """A Python that has the unpacked wheel, and nothing of this checkout."""
    (wheel,) = built.glob("*.whl")
    venv.create(tmp_path / "env", with_pip=False, symlinks=os.name != "nt")
    python = tmp_path / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)  # noqa: S202 - our own wheel
    return python


@pytest.mark.slow
@pytest.mark.parametrize("form", ["wheel", "checkout"])
@pytest.mark.timeout(180)
def test_pip_installs_it_with_extras(built: Path, form: str) -> None:
    """It does so from the forms that README.md shows; here it only resolves, without a network."""
    source = ROOT if form == "checkout" else next(built.glob("*.whl"))
    words = ["--dry-run", "--ignore-installed", "--no-index", "--no-deps", "--no-build-isolation", "--report", "-"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *words, f"{source}[pytest,verify]"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)

    (found,) = json.loads(done.stdout)["install"]
    assert found["requested_extras"] == ["pytest", "verify"]
    assert {"pytest", "verify"} <= set(found["metadata"]["provides_extra"])


EDITABLE = {"url": "file:///code/alta%20mock", "dir_info": {"editable": True}}
GIT = {"url": "https://git.example.com/alta-mock.git", "vcs_info": {"vcs": "git", "commit_id": "4f2a"}}


@pytest.mark.parametrize(
    ("origin", "wanted"),
    [
        (None, "pip install 'alta-mock[verify]'"),
        (EDITABLE, "pip install -e '/code/alta mock[verify]'"),
        ({"url": "file:///code/alta-mock", "dir_info": {}}, "pip install 'alta-mock[verify] @ file:///code/alta-mock'"),
        (GIT, "pip install 'alta-mock[verify] @ git+https://git.example.com/alta-mock.git@4f2a'"),
        ({"url": "file:///a.whl", "archive_info": {}}, "pip install 'alta-mock[verify] @ file:///a.whl'"),
    ],
    ids=["index", "editable", "folder", "git", "wheel"],
)
def test_a_missing_extra_is_installed_from_the_same_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: dict[str, object] | None, wanted: str
) -> None:
    """The hint names the source in the metadata of the installation, since no index has the package."""
    metadata = tmp_path / "alta_mock-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: alta-mock\nVersion: 0.1.0\n")
    if origin:
        (metadata / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.syspath_prepend(tmp_path)

    assert extras.command("verify") == wanted


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_wheel_works_without_a_checkout(installed: Path, tmp_path: Path) -> None:
    """In its own environment and another folder, one request is served."""
    dependencies = Path(pytest.__file__).parent.parent
    code = (
        "import sys; sys.path.append(sys.argv[1])\n"
        "import mock_server, urllib.request\n"
        "from mock_server.contract import bundled_files\n"
        "assert '_data' in str(bundled_files.data('openapi.yaml'))\n"
        "with mock_server.AltaMock() as mock, mock.serve() as server:\n"
        "    request = urllib.request.Request(\n"
        "        server.url + '/campaigns/3c90c3cc-0d44-4b50-8888-8dd25736052a/prospects',\n"
        '        b\'{"data":[{"email":"a@example.com"}]}\',\n'
        "        {'Authorization': 'Bearer test-token', 'Content-Type': 'application/json'},\n"
        "    )\n"
        "    print(urllib.request.urlopen(request).status, mock.prospects('3c90c3cc-0d44-4b50-8888-8dd25736052a'))\n"
    )
    done = subprocess.run(
        [installed, "-c", code, str(dependencies)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.stdout.strip(), done.stderr) == ("200 [{'email': 'a@example.com'}]", "")


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_kit_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """The fast tests of `pytest --pyargs contract_tests` run, as does the plugin for consumers."""
    dependencies = str(Path(pytest.__file__).parent.parent)
    words = [
        "-m",
        "pytest",
        "-q",
        "--pyargs",
        "contract_tests",
        "-p",
        "contract_tests.plugin",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [installed, *words, "-k", "three_judges or limit_is_kept"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": dependencies},
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    where = [str(installed), "-c", "import contract_tests; print(contract_tests.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert found.startswith(str(tmp_path))


@pytest.mark.slow
def test_a_misspelt_import_is_a_type_error(tmp_path: Path) -> None:
    """The names of each package have types, and a type checker knows no others."""
    names = {"mock_server": "AltaMock", "contract_tests": "check_consumer", "alta_client": "AltaClient"}
    program = tmp_path / "program.py"
    lines = [f"from {package} import {name}\nfrom {package} import {name}s" for package, name in names.items()]
    program.write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(program)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    wrong = [f'has no attribute "{name}s"' for name in names.values()]
    assert [text for text in wrong if text not in done.stdout] == [], done.stdout + done.stderr
    assert "Found 3 errors" in done.stdout
