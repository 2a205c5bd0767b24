"""Webhooks of the book that this server would not send, said before launch: what an errand finds out at its first attempt. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from rules.book import Book
from rules.options import RulesOptions
from rules.outward import why_not
from rules.rule import Place, Rule
from rules.rule_step import Webhook, walk

_EXPECTED = {
    "not_https": "expected https on port 443",
    "not_public": "expected an address of the public internet",
    "bad_address": "expected an address with a host's name and without a user",
}


@dataclass(frozen=True, slots=True)
class Unreached:
    """A webhook that can not leave as the server is set up, and why."""

    at: Place
    problem: str

    def __str__(self) -> str:
        return f"{self.at.file}:{self.at.line}:{self.at.column}: {self.problem}"


def unreached(book: Book, options: RulesOptions) -> tuple[Unreached, ...]:
    """Return what of the rules' webhooks does not leave: each address once a rule, and each rule that waits for the secret."""
    return tuple(dict.fromkeys(one for id in sorted(book.rules) for one in _of_rule(book, id, options)))


def _of_rule(book: Book, id: str, options: RulesOptions) -> Iterator[Unreached]:
    rule = book.rules[id]
    steps = [step for step in walk(rule.steps) if isinstance(step, Webhook)]
    for step in steps:
        if not options.webhooks_inside and (wrong := why_not(step.url)):
            hint = "Hint: rules.webhooks_inside lets webhooks reach receivers of your own network"
            got = f'got "{step.url[:200]}": it is never sent'
            yield Unreached(_place(rule, step), f"webhook: {_EXPECTED[wrong]}, {got}. {hint}")
    if steps and not options.webhook_secret:
        yield Unreached(_place(rule, steps[0]), "webhook: it waits for rules.webhook_secret, which is not set.")


def _place(rule: Rule, step: Webhook) -> Place:
    return rule.places.get(step.id) or rule.places.get("rule") or Place(rule.id, 1, 1)
