"""A missing peer is a skip on a developer's machine and a failure in CI."""

import pytest

from tests.needed import require_peer


def test_a_peer_that_is_there_lets_the_test_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    require_peer("Chromium", "/usr/bin/chromium")


def test_a_missing_peer_skips_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="Chromium is not here"):
        require_peer("Chromium", None)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="Chromium is not here"):
        require_peer("Chromium", None)
