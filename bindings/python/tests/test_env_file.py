"""Tests env files: they have the grammar of python-dotenv, and this program uses only some of their variables."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Dict

import pytest
from conftest import cli
from dotenv.main import DotEnv
from dotenv.parser import Position, parse_stream
from hypothesis import example, given, settings
from hypothesis import strategies as st
from zoom_user_status._cli import dotenv
from zoom_user_status.testing import FakeZoom

SECRET = "hunter2"


def env_file(folder: Path, text: str, encoding: str = "utf-8") -> str:
    path = folder / "zoom.env"
    path.write_bytes(text.encode(encoding))
    path.chmod(0o600)
    return str(path)


@settings(max_examples=1500, deadline=None)
@given(
    st.one_of(
        st.text("AB=\"'\\n#$\t\r ${}:-x", max_size=30),
        st.lists(
            st.builds(
                "{}{}{}{}".format,
                st.sampled_from(["", "export ", " export\t", "  "]),
                st.sampled_from(["A", "B", "a.b", "'A'", "A-B"]),
                st.sampled_from(["=", " = ", "=\t", "", " ="]),
                st.one_of(
                    st.sampled_from(["x", "'x y' # c", '"x\\n\\"y"', "x # c", "x#c", "# c", "'a\\'b'", "${A}", "${B:-d}", "${A:-}", '"${A}', "'${A}'", '"a\nb"']),
                    st.text("ab \\'\"#${}:-\t", max_size=8),
                ),
            ),
            max_size=4,
        ).map("\n".join),
    )
)
@example("A=1\r\nB=${A}2\r\n")
@example("A= # c")
@example("A='x\ny' # c\nB")
def test_the_grammar_is_python_dotenvs(text: str) -> None:
    """There is one difference: a line that python-dotenv skips with a warning is an error here."""
    theirs = DotEnv(None, io.StringIO(text, newline=""), encoding="utf-8", interpolate=True, override=True)
    bindings = list(parse_stream(io.StringIO(text, newline="")))
    try:
        ours = dotenv.parse(text, os.environ)
    except dotenv.Unreadable as error:
        first = next(binding for binding in bindings if binding.error)
        blank = len(first.original.string) - len(first.original.string.lstrip())
        newlines = Position.start()
        newlines.advance(first.original.string[:blank])
        assert error.line == first.original.line + newlines.line - 1
        return
    assert not any(binding.error for binding in bindings)
    assert ours == {key: value for key, value in theirs.dict().items() if value is not None}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_as_people_have_it(fake_zoom: FakeZoom, tmp_path: Path, encoding: str) -> None:
    text = (
        "# Zoom, and the shop\r\n\r\n"
        "export ZOOM_ACCOUNT_ID='fake-account' # ours\r\n"
        "\tZOOM_CLIENT_ID\t=\tfake-client # comment\r\n"
        'PREFIX=fake\r\nZOOM_CLIENT_SECRET="${PREFIX}-secret"\r\n'
        "DATABASE_URL=postgres://shop\r\nshop.name=Ä\r\nEMPTY=\r\nALONE\r\nLD_PRELOAD=/no/such.so\r\n"
    )
    # Zoom would reject the environment's token: the file's credentials replace it.
    env = {"ZOOM_ACCESS_TOKEN": "expired", "ZOOM_ACCOUNT_ID": "", "ZOOM_CLIENT_ID": "", "ZOOM_CLIENT_SECRET": ""}
    run = cli(fake_zoom, "check", "--env-file", env_file(tmp_path, text, encoding), env=env)
    assert (run.returncode, run.stderr) == (0, "") and "fake-account" in run.stdout


@pytest.mark.parametrize(
    "text, line, why",
    [
        (f"ZOOM_CLIENT_ID=a\n{SECRET} {SECRET}\n", 2, "the line is not KEY=VALUE"),
        (f'A=1\n\n# c\nZOOM_CLIENT_SECRET="{SECRET}\nB=2\n', 4, "a quotation mark is never closed"),
        (f"ZOOM_CLIENT_SECRET='{SECRET}\n", 1, "a quotation mark is never closed"),
        (f'ZOOM_CLIENT_SECRET="{SECRET}" {SECRET}\n', 1, "there is text after the value"),
    ],
)
def test_a_broken_line_is_named_and_not_shown(fake_zoom: FakeZoom, tmp_path: Path, text: str, line: int, why: str) -> None:
    run = cli(fake_zoom, "check", "--env-file", env_file(tmp_path, text))
    assert run.returncode == 2 and f"zoom.env, line {line}: " in run.stderr and why in run.stderr
    assert SECRET not in run.stdout + run.stderr and fake_zoom.ledger == []


@pytest.mark.skipif(os.name != "posix", reason="Windows has no POSIX file modes")
def test_a_file_that_others_can_read(fake_zoom: FakeZoom, tmp_path: Path) -> None:
    name = env_file(tmp_path, "A=1\n")
    os.chmod(name, 0o644)
    assert f"other users of this machine can read {name}: run chmod 600 {name}" in cli(fake_zoom, "check", "--env-file", name).stderr


def test_a_token_beside_oauth_and_whitespace_around_a_secret(fake_zoom: FakeZoom, tmp_path: Path) -> None:
    fake_zoom.add("a@example.com")
    run = cli(
        fake_zoom, "deactivate", "a@example.com", env={"ZOOM_ACCESS_TOKEN": fake_zoom.access_token, "ZOOM_ACCOUNT_ID": "fake-account"}
    )
    assert run.returncode == 0
    assert "ZOOM_ACCESS_TOKEN is set and is used; ZOOM_ACCOUNT_ID is not used" in run.stderr
    run = cli(fake_zoom, "check", env={"ZOOM_CLIENT_SECRET": f" {SECRET}\t"})
    assert "ZOOM_CLIENT_SECRET in the environment has leading or trailing whitespace" in run.stderr and SECRET not in run.stderr
    name = env_file(tmp_path, 'ZOOM_CLIENT_SECRET=" fake-secret"\nZOOM_CLIENT_ID=fake-client\nZOOM_ACCOUNT_ID=fake-account\n')
    assert f"ZOOM_CLIENT_SECRET in {name} has leading or trailing whitespace" in cli(fake_zoom, "check", "--env-file", name).stderr


def test_proxy_and_certificates_of_the_file_replace_those_of_the_environment(fake_zoom: FakeZoom, tmp_path: Path) -> None:
    """The variables of the environment may be in upper or lower case."""
    text = "HTTPS_PROXY=http://127.0.0.1:9/\nNO_PROXY=\nSSL_CERT_FILE=/no/such.pem\n"
    env: Dict[str, str] = {"ZOOM_API_URL": "https://localhost:1/v2", "https_proxy": "http://127.0.0.1:10/", "no_proxy": "*"}
    name = env_file(tmp_path, text)
    run = cli(fake_zoom, "check", "--env-file", name, env=env)
    assert f"http://127.0.0.1:9, from HTTPS_PROXY in {name}" in run.stdout and run.returncode == 1
    run = cli(fake_zoom, "deactivate", "a@example.com", "--retries", "0", "--env-file", name, env={**env, "ZOOM_ACCESS_TOKEN": "x"})
    assert run.returncode == 1 and "ZUS_ERR_PROXY" in run.stdout and ":9" in run.stdout, run.stdout
