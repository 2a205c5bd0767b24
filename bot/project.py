"""A bot's folder, read: Rasa's own files and the four beside them that Rasa does not know.

domain.yml and domain/** (intents, slots, forms, responses), data/** (nlu, rules, stories), flows.yml and flows/**,
config.yml (thresholds, default language); validation.yml, profile.yml, handover.yml and titles.yml are ours,
so the rest stays valid for Rasa.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain import Domain
from bot.domain_files import read_domain
from bot.files import read
from bot.flow_files import read_flows
from bot.flows import Flows
from bot.handover import HandoverPlan, read_handover
from bot.memory import Memory, read_memory
from bot.titles import Titles, read_titles
from bot.training import Training, read_training
from bot.validation import Validation, read_validation
from bot.values import name_at, number_at
from profiles.findings import Findings, nearest
from profiles.written import Place, Table, empty_table, place_of, rows

_RASA_KEYS = {
    "version", "intents", "entities", "slots", "responses", "forms", "actions", "session_config", "config",
    "e2e_actions", "nlu", "rules", "stories", "templates", "flows",
}  # fmt: skip

_DOMAIN_KEYS = ("intents", "entities", "slots", "responses", "templates", "forms", "actions")

_MARKDOWN_DATA = re.compile(r"^\s*(## *(intent|synonym|regex|lookup):|\* *\w)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Options:
    """What config.yml decides; the names and defaults are Rasa's."""

    language: str = "en"
    threshold: float = 0.3
    ambiguity: float = 0.1
    core_fallback: str = "action_default_fallback"
    core_threshold: float = 0.3
    remembers_stories: bool = True
    max_history: int | None = None
    forgives: bool = False
    """Stories are also found after a shorter past (AugmentedMemoizationPolicy)."""
    guesses: bool = True
    """The nearest story answers where none fits; Rasa has learned policies for that (TEDPolicy)."""


@dataclass(frozen=True, slots=True)
class Project:
    """Everything written in a bot's folder, before it is checked and learned."""

    folder: Path
    domain: Domain
    training: Training
    rules: tuple[Table, ...]
    stories: tuple[Table, ...]
    options: Options
    validation: Validation
    memory: Memory
    handover: HandoverPlan
    flows: Flows = field(default_factory=Flows)
    titles: Titles = field(default_factory=Titles)
    """What agents read for the names in the files."""
    is_whole: bool = True
    """The domain could be read: what it does not name is unknown."""


def read_project(folder: Path, findings: Findings) -> Project:
    """Return the folder's content; what cannot be read is noted in `findings` and left out."""
    files = [read(path, shown, findings) for path, shown in _content_files(folder)]
    if not files:
        findings.error(Place(str(folder)), "expected a bot's folder with domain.yml and data/, got none of them.")
    for file in files:
        _check_keys(file, findings)
    for path in _passed_over(folder):
        findings.notice(Place(path), "is not read: this is how Rasa 1 wrote examples.", "rasa data convert of Rasa 2")
    options = _options(_optional(folder, "config.yml", findings), findings)
    domain = read_domain(files, findings)
    flows = read_flows(files, domain.responses, findings)
    training = read_training(files, options.language, findings)
    taught = {example.answer or example.intent for example in training.examples}
    rules, stories = _items(files, "rules", "rule", findings), _items(files, "stories", "story", findings)
    is_whole = _has_domain(files, bool(rules or stories), findings)
    named = [str(rule["rule"]) for rule in rules]
    return Project(
        folder=folder,
        domain=domain,
        training=training,
        rules=rules,
        stories=stories,
        options=options,
        validation=read_validation(_beside(folder, "validation.yml", is_whole, findings), domain, findings),
        memory=read_memory(_beside(folder, "profile.yml", is_whole, findings), domain, findings),
        handover=read_handover(_beside(folder, "handover.yml", is_whole, findings), domain, findings, flows.by_id),
        flows=flows,
        titles=read_titles(_beside(folder, "titles.yml", is_whole, findings), domain, taught, named, findings),
        is_whole=is_whole,
    )


def _content_files(folder: Path) -> list[tuple[Path, str]]:
    places = ("domain.y*ml", "domain/**/*.y*ml", "data/**/*.y*ml", "flows.y*ml", "flows/**/*.y*ml")
    paths = [path for place in places for path in folder.glob(place)]
    return [(path, path.relative_to(folder).as_posix()) for path in sorted(paths) if path.is_file()]


def _passed_over(folder: Path) -> list[str]:
    """Return the files of data/ in Markdown, Rasa 1's format: a bot written so would understand nothing, and not say why."""
    paths = sorted(path for path in folder.glob("data/**/*.md") if path.is_file())
    return [path.relative_to(folder).as_posix() for path in paths if _MARKDOWN_DATA.search(_start(path))]


def _start(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(10_000)


def _optional(folder: Path, name: str, findings: Findings) -> Table:
    path = folder / name
    if path.exists():
        return read(path, name, findings)
    return empty_table(Place(name))


def _beside(folder: Path, name: str, is_whole: bool, findings: Findings) -> Table:
    """Return a file that names what the domain holds; nothing of it when that could not be read."""
    table = _optional(folder, name, findings)
    return table if is_whole else empty_table(Place(name))


def _has_domain(files: list[Table], is_used: bool, findings: Findings) -> bool:
    """Whether the domain could be read; none at all, where rules need one, is an error."""
    if any(name.startswith("domain") for name in findings.unread):
        return False
    if is_used and not any(key in file for file in files for key in _DOMAIN_KEYS):
        findings.error(Place("domain.yml"), "expected the domain (intents, responses and so on), got none.")
        return False
    return True


def _check_keys(file: Table, findings: Findings) -> None:
    for key in file:
        if key not in _RASA_KEYS:
            findings.notice(
                place_of(file, key), f'unknown key "{key}"; expected one of Rasa\'s.', nearest(key, _RASA_KEYS)
            )


def _items(files: list[Table], key: str, name: str, findings: Findings) -> tuple[Table, ...]:
    found = []
    for file in files:
        for item in rows(file.get(key)):
            if not isinstance(item, Table) or name not in item or not isinstance(item.get("steps", []), list):
                findings.error(place_of(item, default=file.at), f"{key}: expected - {name}: name, with steps:.")
            elif not item.get("steps"):
                findings.notice(place_of(item, name), f'{key}: "{item[name]}": expected steps, got none.')
            elif spoken := [step for step in item["steps"] if isinstance(step, Table) and "bot" in step]:
                at = place_of(spoken[0], "bot")
                findings.notice(at, f'{key}: "{item[name]}" holds a sentence of the bot, and is not followed.')
            else:
                found.append(item)
    return tuple(found)


def _options(config: Table, findings: Findings) -> Options:
    parts: dict[str, Table] = {}
    for item in [*rows(config.get("pipeline")), *rows(config.get("policies"))]:
        if isinstance(item, Table) and isinstance(item.get("name"), str):
            parts[item["name"].rsplit(".", 1)[-1]] = item
    memory = parts.get("AugmentedMemoizationPolicy") or parts.get("MemoizationPolicy")
    history = memory.get("max_history") if memory is not None else None
    has_policies = bool(rows(config.get("policies")))
    fallback, rule_policy = parts.get("FallbackClassifier"), parts.get("RulePolicy", empty_table(config.at))
    language = name_at(config, "language", findings) or "en"
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", language):
        findings.notice(place_of(config, "language"), f'language: expected two letters such as en, got "{language}".')
    return Options(
        language=language,
        threshold=_share_at(fallback, "threshold", 0.3, findings) if fallback is not None else 0.0,
        ambiguity=_share_at(fallback, "ambiguity_threshold", 0.1, findings) if fallback is not None else 0.0,
        core_fallback=name_at(rule_policy, "core_fallback_action_name", findings) or "action_default_fallback",
        core_threshold=_share_at(rule_policy, "core_fallback_threshold", 0.3, findings),
        remembers_stories=memory is not None or not has_policies,
        max_history=history if isinstance(history, int) else None,
        forgives="AugmentedMemoizationPolicy" in parts,
        guesses="TEDPolicy" in parts or not has_policies,
    )


def _share_at(table: Table, key: str, default: float, findings: Findings) -> float:
    share = number_at(table, key, default, findings)
    if not 0 <= share <= 1:
        findings.notice(place_of(table, key), f"{key}: expected a number from 0 to 1, got {share:g}.", f"{default:g}")
    return share
