"""A small rule book that the API calls, for the tests of its routes."""

from pathlib import Path

_FILES = {
    "topics.yml": """
offers:
  title: {fr: Offres, en: Offers}
  version: 1
  wording: {fr: Oui aux offres, en: Yes to offers}
service:
  title: {fr: Suivi, en: Follow-up}
  version: 1
  wording: {fr: Oui au suivi, en: Yes to follow-up}
  consent: opt_out
""",
    "pressure.yml": "quiet hours: 21:00-08:00\n",
    "segments.yml": 'vip: contact.points >= 1000\nbuyers: did("order.paid", within="30d")\n',
    "receipt.yml": """
rule: receipt
state: live
class: transactional
when: {call: api}
steps:
  - send: {channel: [sms, telegram], template: receipt}
""",
    "reminder.yml": """
rule: reminder
state: live
class: service
topic: service
when: {call: api}
steps:
  - send: {channel: telegram, template: hello}
  - wait: 2d
  - send: {channel: telegram, template: hello}
""",
    "offer.yml": """
rule: offer
state: live
class: marketing
topic: offers
when: {call: api}
for: contact.points >= 1000
steps:
  - send: {channel: telegram, template: hello}
""",
    "later.yml": """
rule: later
state: live
class: transactional
when: {call: api}
steps:
  - wait: 1h
  - send: {channel: telegram, template: hello}
""",
    "tell.yml": """
rule: tell
state: live
class: transactional
when: {call: api}
steps:
  - webhook: {url: "https://crm.example/hooks", body: {hello: "Hello {{ contact.first_name }}, {{ event.order }}"}}
""",
    "cart.yml": """
rule: cart
state: live
class: transactional
when: {event: cart.updated}
steps:
  - send: {channel: telegram, template: hello}
""",
    "templates/receipt.yml": 'fr: {text: "Commande {{ event.order }} : {{ event.total }}"}\n',
    "templates/hello.yml": 'fr: {text: "Bonjour {{ contact.first_name }}"}\n',
}


def write_book(folder: Path) -> Path:
    """Write the book's files and return its folder."""
    (folder / "templates").mkdir()
    for name, text in _FILES.items():
        (folder / name).write_text(text.lstrip())
    return folder
