"""Settings are read once, and anew as soon as a variable or the deployment's file says something else."""

import os

import pytest
from arrears import settings as module
from arrears.errors import ConfigurationError
from arrears.settings import load_settings


def test_settings_are_kept_until_a_variable_is_another(monkeypatch):
    monkeypatch.setenv("ARREARS_THREADS", "3")
    first = load_settings()
    assert load_settings() is first

    monkeypatch.setenv("ARREARS_THREADS", "5")

    assert (first.threads, load_settings().threads) == (3, 5)
    monkeypatch.delenv("ARREARS_THREADS")
    assert load_settings().threads not in (3, 5)


def test_a_changed_file_is_read_anew(monkeypatch, tmp_path):
    file = tmp_path / "arrears.env"
    monkeypatch.setattr(module, "ENVIRONMENT_FILE", file)
    monkeypatch.setitem(module.Settings.model_config, "env_file", file)
    monkeypatch.delenv("ARREARS_ALERT_TO", raising=False)
    assert load_settings().alert_to == ""

    file.write_text("ARREARS_ALERT_TO=on-call\n")
    assert load_settings().alert_to == "on-call"
    file.write_text("ARREARS_ALERT_TO=nobody\n")
    os.utime(file, ns=(1, 1))

    assert load_settings().alert_to == "nobody"


@pytest.mark.parametrize("size", ["lots", "80%", "3", "-1GB"])
def test_a_memory_limit_that_is_no_size_is_told_before_any_job(monkeypatch, size):
    monkeypatch.setenv("ARREARS_MEMORY_LIMIT", size)

    with pytest.raises(ConfigurationError, match="ARREARS_MEMORY_LIMIT"):
        load_settings()


def test_a_mistake_is_told_each_time_and_nobody_can_change_what_was_read(monkeypatch):
    monkeypatch.setenv("ARREARS_THREADS", "unspeakable")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="ARREARS_THREADS") as told:
            load_settings()
        assert "unspeakable" not in str(told.value)
    monkeypatch.delenv("ARREARS_THREADS")

    with pytest.raises(ValueError, match="frozen"):
        load_settings().threads = 7
