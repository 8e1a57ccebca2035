"""No secret and no default password in what is delivered; static safety is on, and each exception says why."""

import math
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml
from arrears.settings import Settings
from pydantic import SecretStr

REPOSITORY = Path(__file__).parents[2]
KNOWN_FORMS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
    "an AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36,}\b",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "a Google key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "a JSON web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.",
    "a webhook of Slack": r"hooks\.slack\.com/services/T[A-Z0-9]+/B",
}
IN_A_URL = re.compile(r"\w+://[^\s:/@\"'{}$<>]+:([^\s:/@\"'{}$<>]+)@")
ASSIGNED = re.compile(
    r"(?i)\b\w*(?:password|passwd|secret|api_?key|token|master_?keys?)\w*[\"']?\s*[:=]\s*[\"']?([A-Za-z0-9+/=_-]{16,})[\"']?"
)
SAID_ALOUD = {  # looks like one and is none: names of settings, of variables, of files
    *("only-for-this-test", "var/keys.json"),
}
EXEMPT = {"requirements.txt", "requirements-deploy.txt"}  # hashes of packages
SAYS_SECRET = re.compile(r"(?i)(password|secret|fernet|jwt|master_keys)")
WORDS = re.compile(r"[a-z_]+|[A-Z_]+|(?:[A-Za-z][a-z_]*)+")


def tracked():
    done = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True, text=True)
    names = [name for name in done.stdout.split("\0") if name and name not in EXEMPT]
    return [REPOSITORY / name for name in names if (REPOSITORY / name).is_file()]


@pytest.fixture(scope="module")
def texts():
    found = {}
    for path in tracked():
        try:
            found[str(path.relative_to(REPOSITORY))] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    assert len(found) > 500
    return found


def is_random(value):
    """Whether a value looks drawn, not written: many different characters, digits among letters, no words."""
    entropy = -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())
    return entropy > 3.6 and bool(re.search(r"\d", value)) and not WORDS.fullmatch(value)


def secrets_in(name, text):
    delivered = not name.startswith("tests/")
    for what, form in KNOWN_FORMS.items():
        if re.search(form, text):
            yield f"{name}: {what}"
    if delivered:
        for match in IN_A_URL.finditer(text):
            if match.group(1) not in ("...", "pass", "password", "PASSWORD"):
                yield f"{name}: a password in a URL"
        for match in ASSIGNED.finditer(text):
            if is_random(match.group(1)) and match.group(1) not in SAID_ALOUD:
                yield f"{name}: a value assigned to a secret's name, line {text[: match.start()].count(chr(10)) + 1}"


def test_no_secret_is_in_the_repository(texts):
    others = {name: text for name, text in texts.items() if name != "tests/house/test_secrets.py"}
    assert [one for name, text in others.items() for one in secrets_in(name, text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "key: " + "AKIA" + "IOSFODNN7EXAMPLE",
        "url = postgresql://arrears:" + "hunter2x@db/arrears",
        'WAREHOUSE_PASSWORD="' + 'q7Zk29Lm4Xv8Rt1B"',
        "ARREARS_MASTER_KEYS=" + "kJ8s7df6g5h4j3k2l1q0w9e8r7t6y5u4",
    ],
)
def test_the_scan_finds_one(text):
    assert list(secrets_in("x.py", text)) != []


def test_settings_that_are_secrets_have_no_default():
    fields = {name: field.default for name, field in Settings.model_fields.items() if SAYS_SECRET.search(name)}
    assert "master_keys" in fields
    given = [
        name
        for name, field in Settings.model_fields.items()
        if isinstance(field.default, SecretStr) and field.default.get_secret_value()
    ]

    assert given == []
    assert {name: value for name, value in fields.items() if isinstance(value, str) and value} == {}


def test_compose_asks_for_every_secret_and_gives_none():
    compose = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
    asked = {
        (service, name): value
        for service, content in compose["services"].items()
        for name, value in (content.get("environment") or {}).items()
        if SAYS_SECRET.search(name)
    }

    assert len(asked) > 10
    assert [key for key, value in asked.items() if not re.search(r"\$\{\w+:\?", str(value))] == []
    lines = (REPOSITORY / ".env.example").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#") and not line.endswith("=")] == []


def test_rules_of_static_safety_are_on_and_each_exception_says_why():
    """ruff's S rules (bandit's) run in `make lint`; outside tests each exception stands beside its reason."""
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert 'select = ["ALL"]' in project
    ignored = re.search(r"\nignore = \[(.*?)\n\]", project, re.DOTALL).group(1)
    assert re.findall(r'"(S\d*)"', ignored) == ["S608"]
    passed = []
    for folder in ("include", "dags", "plugins"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            for line in path.read_text(encoding="utf-8").splitlines():
                codes = re.search(r"# noqa: ([A-Z0-9, ]+?)(?:  (.*))?$", line)
                if codes and re.search(r"\bS\d", codes.group(1)):
                    passed.append((path.name, codes.group(1), codes.group(2)))

    assert len(passed) > 5
    assert [one for one in passed if not one[2] and "S603" not in one[1]] == []
