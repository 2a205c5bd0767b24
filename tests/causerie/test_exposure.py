"""What the configuration says that would hurt in the world: named there, and silent on one's own machine."""

from dataclasses import replace
from typing import Any

import pytest

from admin.desk import Options as ConsoleOptions
from causerie.exposure import dangers, is_reachable
from causerie.mongod import StoreOptions
from causerie.options import Options, ServerOptions
from channels import webchat
from profiles.secret import Secret
from rules.options import RulesOptions

SAFE = Options(
    server=ServerOptions(public_url="https://shop.example"),
    console=ConsoleOptions(second_factor_roles=("admin",)),
    channels={"webchat": webchat.Options(enabled=True, proxies=1)},
)
EMBEDDED = StoreOptions()
WHSEC = Secret("whsec_" + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr")


def _with(**changed: Any) -> Options:
    return replace(SAFE, **changed)


def test_a_safe_configuration_and_one_s_own_machine_are_silent() -> None:
    assert dangers(SAFE, EMBEDDED) == ()
    assert dangers(Options(), EMBEDDED) == ()
    assert not is_reachable(Options())
    demo = Options(channels={"webchat": webchat.Options(demo=True)}, server=ServerOptions(log_level="DEBUG"))
    assert dangers(demo, StoreOptions(url=Secret("mongodb://127.0.0.1/"))) == ()


@pytest.mark.parametrize(
    ("options", "store", "key", "is_grave"),
    [
        (_with(server=ServerOptions(host="0.0.0.0")), "embedded", "server.public_url", True),
        (_with(server=ServerOptions(host="::", public_url="http://x")), "embedded", "server.public_url", True),
        (_with(channels={"webchat": webchat.Options(demo=True, proxies=1)}), "embedded", "channels.webchat.demo", True),
        (_with(channels={"webchat": webchat.Options()}), "embedded", "channels.webchat.proxies", False),
        (_with(rules=RulesOptions(webhooks_inside=True)), "embedded", "rules.webhooks_inside", False),
        (_with(console=ConsoleOptions()), "embedded", "console.second_factor_roles", False),
        (_with(server=ServerOptions(public_url="https://x", log_level="DEBUG")), "embedded", "server.log_level", False),
        (_with(rules=RulesOptions(previous_webhook_secret=WHSEC)), "embedded", "rules.previous_webhook_secret", False),
        (
            _with(channels={"webchat": webchat.Options(previous_identity_secret=Secret("hush"), proxies=1)}),
            "embedded",
            "channels.webchat.previous_identity_secret",
            False,
        ),
        (SAFE, "mongodb://db1,db2/?replicaSet=rs", "store.url", True),
        (SAFE, "mongodb://u:p@db1/?compressors=snappy,ZLIB", "store.url", False),
        (SAFE, "mongodb://u:p@db1/?tls=true&tlsAllowInvalidCertificates=true", "store.url", True),
    ],
)
def test_each_danger_is_named_with_its_key(options: Options, store: str, key: str, is_grave: bool) -> None:
    (found,) = dangers(options, StoreOptions(url=Secret(store)))
    assert found.sentence.startswith(f"{key}: expected ")
    assert found.is_grave is is_grave
    assert not any(secret in found.sentence for secret in ("u:p@", "whsec_a2", "hush"))
