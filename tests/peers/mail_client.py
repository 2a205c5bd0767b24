"""Who hands mail over by LMTP: a plain conversation on a socket, so that every answer is seen as it comes (RFC 2033)."""

import socket
from collections.abc import Iterator


def hand_over(port: int, octets: bytes, *to: str, path: str = "anna@example.org") -> list[str]:
    """Return what the server says of the mail for each recipient; where it takes none, its answers to those."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        lines = _lines(connection)
        next(lines)
        _ask(connection, lines, "LHLO mx.example")
        asked = [f"MAIL FROM:<{path}>", *(f"RCPT TO:<{one}>" for one in to)]
        answers = [_ask(connection, lines, one) for one in asked]
        taken = [answer for answer in answers[1:] if answer.startswith("250")]
        if not answers[0].startswith("250") or not taken:
            return [answer for answer in answers if not answer.startswith("250")]
        if not (ready := _ask(connection, lines, "DATA")).startswith("354"):
            return [ready]
        body = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").replace(b"\r\n.", b"\r\n..")
        connection.sendall(body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        return [_answer(lines) for _ in taken]


def _ask(connection: socket.socket, lines: Iterator[str], command: str) -> str:
    connection.sendall(command.encode() + b"\r\n")
    return _answer(lines)


def _answer(lines: Iterator[str]) -> str:
    said = [next(lines)]
    while said[-1][3:4] == "-":
        said.append(next(lines))
    return "\n".join(said)


def _lines(connection: socket.socket) -> Iterator[str]:
    rest = b""
    while piece := connection.recv(65_536):
        *whole, rest = (rest + piece).split(b"\r\n")
        yield from (line.decode("utf-8", "replace") for line in whole)
