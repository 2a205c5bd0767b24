"""A library that looks for another to do more does not find it, unless somebody else needs it; and it works without."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def loaded(code: str, package: str = "cryptography") -> bool:
    """Whether this code leaves the package loaded, in a Python of its own."""
    asked = f"import sys; {code}; print({package!r} in sys.modules)"
    return (
        subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        == "True\n"
    )


def test_the_driver_tokens_and_telegram_do_without_cryptography() -> None:
    assert not loaded("import profiles.store, channels.webchat_tokens, channels.telegram_channel")
    assert loaded("import pymongo"), "else this test proves nothing"


def test_who_needs_it_has_it_afterwards() -> None:
    assert loaded("import profiles.store; import cryptography")
    assert loaded("import cryptography; import profiles.store")


def test_the_whole_server_does_without_it_until_somebody_signs() -> None:
    assert not loaded("import causerie.app, causerie.sections; causerie.sections.every_section()")


def test_a_start_reads_the_configuration_before_it_loads_the_rest_and_some_libraries_never() -> None:
    """The database begins once it is read, and the rest is loaded while the database does."""
    code = (
        "import sys, causerie.__main__, causerie.configured as first; first.every_section()\n"
        "rest = {'numpy', 'bot.brain', 'rules.engine', 'admin.desk'}; print(sorted(rest & set(sys.modules)))\n"
        "import causerie.serving; print(sorted(rest - set(sys.modules)))\n"
        "print(sorted({'phonenumbers', 'email_validator', 'dns'} & set(sys.modules)))"
    )
    asked = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert asked.stdout == "[]\n[]\n[]\n"


@pytest.mark.parametrize("package", ["telegram", "httpx", "pywebpush", "h2", "aiosmtpd", "imaplib", "smtplib"])
def test_what_a_channel_needs_waits_until_it_is_switched_on(package: str) -> None:
    assert not loaded("import causerie.app, causerie.sections; causerie.sections.every_section()", package)


def test_telegram_s_library_comes_with_its_channel() -> None:
    assert loaded("import channels.telegram_channel", "telegram"), "else the test above proves nothing"
