"""A corpus of hostile templates, after the classes of Jinja2's, Mautic's and listmonk's advisories: each is refused or harmless.

Harmless: it renders, in milliseconds, without anything of ours in it.
"""

import time

import pytest

from profiles.personalize import Rendered, Text, Unrendered, compile_text

REFUSED = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ contact.__class__ }}",
    "{{ contact['__class__'] }}",
    "{{ contact|attr('__class__') }}",
    "{{ ''|attr('__cl' ~ 'ass__') }}",
    "{{ '{0.__class__}'.format(contact) }}",
    "{{ '{0.__class__}'|format(contact) }}",
    "{{ 'a'.format_map(contact) }}",
    "{{ ('%s' % contact) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ lipsum() }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ namespace(x=1) }}",
    "{{ dict(a=1) }}",
    "{{ joiner() }}",
    "{{ range(999999999) }}",
    "{% for x in range(999999999) %}x{% endfor %}",
    "{{ self }}{{ self.__dict__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ caller() }}",
    "{{ contact.items() }}",
    "{{ contact.pop('first_name') }}",
    "{{ contact.update({'a': 1}) }}",
    "{% set contact = 1 %}",
    "{% set ns.x = 1 %}",
    "{% set x %}a{% endset %}",
    "{% include 'secrets' %}",
    "{% extends 'base' %}",
    "{% import 'x' as y %}",
    "{% from 'x' import y %}",
    "{% macro f() %}{{ f() }}{% endmacro %}",
    "{% call f() %}{% endcall %}",
    "{% block a %}{% endblock %}",
    "{% filter upper %}a{% endfilter %}",
    "{% with a = 1 %}{% endwith %}",
    "{% autoescape false %}{{ contact.first_name }}{% endautoescape %}",
    "{{ contact.first_name | safe }}",
    "{{ contact.first_name | xmlattr }}",
    "{{ contact | tojson }}",
    "{{ contact | map(attribute='__class__') | list }}",
    "{{ contact | select('callable') }}",
    "{{ contact | groupby('__class__') }}",
    "{{ 'x' | center(1000000000) }}",
    "{{ 'x' | indent(width=99999999) }}",
    "{{ 'x' | replace('x', 'y' * 99999) }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ 7 // 0 }}",
    "{{ 7 % 2 }}",
    "{{ contact[contact.first_name] }}",
    "{{ contact['_id'] }}",
    "{{ 'abc'[::-1] }}",
    "{{ {'a': contact} }}",
    "{{ contact.first_name is sameas contact }}",
    "{{ contact.first_name is callable }}",
    "{% for a in b recursive %}{{ loop(a) }}{% endfor %}",
    "{% for a in b if a %}{% endfor %}",
    "{% for a in b %}{% for c in a %}{% for d in c %}x{% endfor %}{% endfor %}{% endfor %}",
    "{{ _private }}",
    "{{ self }}",
    "{{ super() }}",
    "{{ contact._id }}",
    "{% raw %}" + "x" * 60_000 + "{% endraw %}",
    "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "{{ " + " + ".join(["1"] * 10_000) + " }}",
    "{{ not " * 3_000,
    "{% if 1 %}" * 3_000,
    "{{ unclosed",
    "{% unknown %}",
    "{{ 'x' | default(*contact) }}",
    "{{ 'x' | join(attribute='a') }}",
    "{{ 1" + "0" * 6_000 + " }}",
]

HARMLESS = [
    "{{ environment }}{{ config }}{{ request }}{{ g }}{{ os }}",
    "{{ language_ }}{{ missing }}",
    "{{ loop }}{{ none }}{% for x in many %}{{ loop }}{% endfor %}",
    "{% for x in contact %}{{ x }}{% endfor %}",
    "{% for x in contact.first_name %}{{ x }}{% endfor %}",
    "{% for x in many %}{% for y in many %}{{ loop.index }}{% endfor %}{% endfor %}",
    "{{ contact.first_name.__str__ is defined }}".replace(".__str__", ".str"),
    "{{ contact.first_name.upper }}{{ contact.keys }}{{ contact.values }}",
    "{% if contact %}{{ contact.first_name | length }}{% endif %}",
    "{# {{ secrets }} #}",
]


@pytest.mark.parametrize("source", REFUSED, ids=lambda source: source[:40])
def test_a_hostile_template_is_refused_before_it_is_compiled(source: str) -> None:
    began = time.process_time()
    found = compile_text(source)
    assert isinstance(found, tuple) and found, "it must not compile"
    assert str(found[0]).startswith("line ")
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("source", HARMLESS, ids=lambda source: source[:40])
def test_what_is_allowed_shows_nothing_and_takes_no_time(source: str) -> None:
    text = compile_text(source)
    assert isinstance(text, Text), text
    began = time.process_time()
    rendered = text.render({"contact": {"first_name": "Anna"}, "many": list(range(100_000))}, language="fr")
    assert time.process_time() - began < 0.5
    assert isinstance(rendered, Rendered)
    assert "<" not in rendered.text and "object" not in rendered.text and "function" not in rendered.text


def test_loops_that_say_nothing_end_as_soon_as_those_that_do() -> None:
    work = (
        "{% for a in many %}{% for b in many %}{% if ["
        + "b|money," * 500
        + "] == 1 %}{% endif %}{% endfor %}{% endfor %}"
    )
    text = compile_text(work)
    assert isinstance(text, Text)
    began = time.process_time()
    assert isinstance(text.render({"many": list(range(100))}, language="fr"), Unrendered)  # 5 million amounts: minutes
    assert time.process_time() - began < 0.5
    table = compile_text("{% for a in many %}{% for b in few %}{{ a }} {{ b|money }}{% endfor %}{% endfor %}")
    assert isinstance(table, Text)
    assert isinstance(table.render({"many": list(range(100)), "few": [1, 2]}, language="fr"), Rendered)


def test_what_a_customer_wrote_is_text_and_is_never_read_as_a_template() -> None:
    text = compile_text("{{ contact.first_name }}")
    assert isinstance(text, Text)
    name = "{{ 7 * 7 }}{% for x in y %}"
    assert text.render({"contact": {"first_name": name}}, language="fr") == Rendered(name)
