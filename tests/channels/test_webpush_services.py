"""A browser names its own push service, so the address may be anything: only those that we know are posted to."""

import pytest

from channels.webpush_services import Endpoint, Services

KNOWN = [
    "https://fcm.googleapis.com/fcm/send/abc:APA91b",
    "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
    "https://web.push.apple.com/QGkE",
    "https://wns2-par02p.notify.windows.com/w/?token=BQ%3d",
]


@pytest.mark.parametrize("address", KNOWN)
def test_the_services_of_the_browsers_are_known(address: str) -> None:
    found = Services().endpoint(address)
    assert found and found.is_secure and not found.is_vouched and found.port == 443
    assert found.origin + found.target == address


STRANGE = [
    "", "x", "http://fcm.googleapis.com/x", "https://fcm.googleapis.com", "https://fcm.googleapis.com:8443/x",
    "https://evil.example/x", "https://fcm.googleapis.com.evil.example/x", "https://evilfcm.googleapis.com/x",
    "https://push.apple.com.evil/x", "https://xpush.apple.com/x", "https://notify.windows.com/x",
    "https://user@fcm.googleapis.com/x", "https://fcm.googleapis.com@evil.example/x", "https://fcm.googleapis.com\\@evil/x",
    "https://127.0.0.1/x", "https://[::1]/x", "https://localhost/x", "file:///etc/passwd", "ftp://fcm.googleapis.com/x",
    "https://fcm.googleapis.com/x\r\nHost: evil", "https://fcm.googleapis.com/x y", "https://fcm.googleapis.com/é",
    "https://fcm.googleapis.com:99999999/x", "https://fcm.googleapis.com/" + "x" * 2_000, "https:///x",
    " https://fcm.googleapis.com/x",
]  # fmt: skip


@pytest.mark.parametrize("address", STRANGE)
def test_nothing_else_is_posted_to(address: str) -> None:
    assert Services().endpoint(address) is None


def test_an_operator_adds_hosts_domains_and_whole_origins() -> None:
    services = Services(("push.example", "*.relay.example", "http://127.0.0.1:9000"))
    assert services.endpoint("https://push.example/1")
    assert services.endpoint("https://a.b.relay.example/1")
    assert services.endpoint("https://relay.example/1") is None
    assert services.endpoint("https://a.push.example/1") is None
    inside = Endpoint("http://127.0.0.1:9000", "127.0.0.1", 9000, "/1?a=b", is_secure=False, is_vouched=True)
    assert services.endpoint("http://127.0.0.1:9000/1?a=b") == inside
    assert services.endpoint("http://127.0.0.1:9001/1") is None
    assert services.endpoint("https://127.0.0.1:9000/1") is None


@pytest.mark.parametrize("wrong", ["*", "*.com/x", "http://", "push.example/x", "a b", "localhost", "*."])
def test_what_is_no_host_is_said_at_the_start(wrong: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Services((wrong,))


def test_an_upper_case_host_is_the_same_service() -> None:
    found = Services().endpoint("https://FCM.googleapis.com/Send")
    assert found and (found.host, found.target) == ("fcm.googleapis.com", "/Send")
