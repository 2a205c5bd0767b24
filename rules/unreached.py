"""Webhooks of the book that this server would not send, said before launch: what an errand finds out at its first attempt. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from rules.book import Book
from rules.options import RulesOptions
from rules.outward import why_not
from rules.rule import Place, Rule
from rules.rule_step import Webhook, walk
from rules.shapes import Said

_EXPECTED = {
    "not_https": Said("expected https on port 443", "attendu https sur le port 443"),
    "not_public": Said("expected an address of the public internet", "attendu une adresse de l'internet public"),
    "bad_address": Said(
        "expected an address with a host's name and without a user",
        "attendu une adresse avec un nom d'hôte et sans utilisateur",
    ),
}


@dataclass(frozen=True, slots=True)
class Unreached:
    """A webhook that can not leave as the server is set up, and why."""

    at: Place
    text: Said

    def __str__(self) -> str:
        return f"{self.at.file}:{self.at.line}:{self.at.column}: {self.text.en}"

    def told(self, language: str) -> str:
        """Return the sentence for its author, in English or French."""
        return self.text.in_(language)


def unreached(book: Book, options: RulesOptions) -> tuple[Unreached, ...]:
    """Return what of the rules' webhooks does not leave: each address once a rule, and each rule that waits for the secret."""
    return tuple(dict.fromkeys(one for id in sorted(book.rules) for one in _of_rule(book, id, options)))


def _of_rule(book: Book, id: str, options: RulesOptions) -> Iterator[Unreached]:
    rule = book.rules[id]
    steps = [step for step in walk(rule.steps) if isinstance(step, Webhook)]
    for step in steps:
        if not options.webhooks_inside and (wrong := why_not(step.url)):
            expected, url = _EXPECTED[wrong], step.url[:200]
            yield Unreached(_place(rule, step), Said(
                f'webhook: {expected.en}, got "{url}": it is never sent. '
                "Hint: rules.webhooks_inside lets webhooks reach receivers of your own network",
                f"webhook : {expected.fr}, trouvé « {url} » : il n'est jamais envoyé. "
                "rules.webhooks_inside laisse les webhooks atteindre votre propre réseau."))  # fmt: skip
    if steps and not options.webhook_secret:
        yield Unreached(_place(rule, steps[0]), Said(
            "webhook: it waits for rules.webhook_secret, which is not set.",
            "webhook : il attend rules.webhook_secret, qui n'est pas donné."))  # fmt: skip


def _place(rule: Rule, step: Webhook) -> Place:
    return rule.places.get(step.id) or rule.places.get("rule") or Place(rule.id, 1, 1)
