"""A rule reads as sentences, in both languages, whatever it is made of."""

from pathlib import Path

import pytest

from profiles.expression import Vocabulary
from profiles.findings import Findings
from rules.file_reading import Names
from rules.rule import Rule
from rules.rule_file import read_rule
from rules.sentences import sentences

EXAMPLE = Path(__file__).parent / "cart-reminder.yml"
WORDS = {
    "contact.country": {"fr": "le pays", "en": "the country"},
    "contact.csat_last": {"fr": "la dernière note", "en": "the last score"},
    "contact.ltv": {"fr": "le total des achats", "en": "the total of purchases"},
    "order.paid": {"fr": "a payé une commande", "en": "paid an order"},
}
SEGMENTS = {"staff": "contact.is_staff == true", "vip": "contact.ltv > 500"}
NAMES = Names(Vocabulary(segments=SEGMENTS, words=WORDS))


def rule(text: str) -> Rule:
    findings = Findings()
    read = read_rule(text, "r.yml", NAMES, findings)
    assert read is not None, findings.errors
    return read


def when(text: str, language: str) -> str:
    told = sentences(rule(f"rule: r\nwhen: {text}\nsteps: [stop]\n"), language)
    return next(line for line in told if line.startswith(("When ", "Quand ")))


def step(text: str, language: str) -> str:
    told = sentences(rule(f"rule: r\nclass: transactional\nwhen: {{event: a.b}}\nsteps:\n{text}"), language)
    return "\n".join(told[2:])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_full_example_reads_as_sentences(language: str) -> None:
    told = sentences(rule(EXAMPLE.read_text(encoding="utf-8")), language, WORDS)
    assert "\n".join(told) + "\n" == (EXAMPLE.parent / f"cart-reminder.{language}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "english", "french"),
    [
        ("{schedule: mon-fri 09:00}", "When it is Monday to Friday at 09:00, the contact's own time.",
         "Quand il est du lundi au vendredi, 09:00, heure du contact."),
        ("{schedule: '*/15 8-10 * * *'}", "When the schedule “*/15 8-10 * * *” fires, the contact's own time.",
         "Quand l'horaire « */15 8-10 * * * » sonne, heure du contact."),
        ("{once: 2026-12-24 18:00, zone: Europe/Paris}", "When it is 24 December 2026, 18:00, time of Europe/Paris.",
         "Quand arrive le 24 décembre 2026 à 18 h, heure de Europe/Paris."),
        ("{date: contact.born_on - 14d at 10:00}", 
         "When it is 14 days before “born_on”, each year, at 10:00, the contact's own time.",
         "Quand il reste 14 jours avant « born_on », chaque année, à 10 h, heure du contact."),
        ("{segment: entered vip}", "When somebody enters the segment “vip”.", "Quand quelqu'un entre dans le segment « vip »."),
        ("{threshold: contact.points crosses 1000}", "When “points” reaches 1000.", "Quand « points » atteint 1000."),
        ("{change: contact.tier}", "When “tier” changes.", "Quand « tier » change."),
        ("{conversation: resolved, channel: [sms, email]}", "When a conversation is resolved on sms or email.",
         "Quand une conversation est résolue sur sms ou email."),
        ("{call: api}", "When the API or another rule asks for it.", "Quand l'API ou une autre règle le demande."),
    ],
)  # fmt: skip
def test_every_trigger_is_said(text: str, english: str, french: str) -> None:
    assert when(text, "en") == english
    assert when(text, "fr") == french


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_step_is_said(language: str) -> None:
    told = step("""\
  - wait: {for: 2d, until: 10:00, on: mon-fri}
  - send: {channel: {all: [push, email]}, template: t, fallback: {unless: opened, within: 4h, channel: sms}}
  - switch:
      - {if: contact.shade == "gold", then: {tag: {add: gold, remove: [silver]}}}
    else: [{stop: nobody}]
  - parallel:
      - {emit: {event: nudge.shown}}
      - {start: other}
  - add: {contact.points: 10}
  - webhook: {url: "https://example.org/hook"}
""", language)  # fmt: skip
    assert told == STEPS[language]


STEPS = {
    "en": """\
1. Wait 2 days, then until 10:00, then on Monday to Friday.
2. Send “t” on push and email; after 4 hours, if it was not opened, on sms.
3. The first that is true:
   if “shade” is gold:
     1. Label the contact: +gold, -silver.
   otherwise:
     1. End here (nobody).
4. At the same time:
   branch 1:
     1. Put “nudge.shown” on the timeline.
   branch 2:
     1. Start the rule “other”.
5. Note: “points” grows by 10.
6. Tell https://example.org/hook.""",
    "fr": """\
1. Attendre 2 jours, puis jusqu'à 10 h, puis un de ces jours : du lundi au vendredi.
2. Envoyer « t » sur push et email ; au bout de 4 heures, s'il n'a pas été ouvert, sur sms.
3. Le premier cas vrai :
   si « shade » est gold :
     1. Étiqueter le contact : +gold, -silver.
   sinon :
     1. Finir ici (nobody).
4. En même temps :
   branche 1 :
     1. Poser « nudge.shown » dans la chronologie.
   branche 2 :
     1. Lancer la règle « other ».
5. Noter : « points » augmente de 10.
6. Prévenir https://example.org/hook.""",
}
