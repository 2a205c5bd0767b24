"""A contact walks through a rule: waits, forks, fallbacks, exits; each test is one story with a date."""

from tests.rules.play import Play

CART = """
rule: cart
state: live
topic: offers
when: {event: cart.updated, key: event.cart_id, again: restart}
exit on:
  - event: order.paid
    where: event.cart_id == start.cart_id
steps:
  - wait: 1h
  - send: {channel: [telegram, sms], template: cart_1}
    id: first
  - wait until:
      any: [opened("first"), clicked("first")]
      at most: 4h
    reached:
      - wait: 20h
    otherwise:
      - send: {channel: email, template: cart_2}
  - send: {channel: telegram, template: cart_3}
"""


async def test_a_cart_left_for_an_hour_brings_a_reminder() -> None:
    play = Play(CART)
    await play.happens("cart.updated", cart_id="c1", total=80)
    await play.passes(minutes=59)
    assert play.got() == []
    await play.passes(minutes=1)
    assert play.got() == ["telegram: cart_1"]


async def test_who_does_not_open_it_gets_an_e_mail_and_who_opens_it_waits_a_day() -> None:
    play = Play(CART)
    await play.happens("cart.updated", cart_id="c1")
    await play.passes(hours=4, minutes=59)
    assert play.got() == ["telegram: cart_1"]
    await play.passes(minutes=1)
    assert play.got() == ["telegram: cart_1", "email: cart_2", "telegram: cart_3"]
    other = Play(CART)
    await other.happens("cart.updated", cart_id="c1")
    await other.passes(hours=2)
    await other.message_is("opened")
    await other.passes(hours=19, minutes=59)
    assert other.got() == ["telegram: cart_1"]
    await other.passes(minutes=1)
    assert other.got() == ["telegram: cart_1", "telegram: cart_3"]


async def test_who_pays_hears_nothing_more_of_that_cart_and_still_of_the_other() -> None:
    play = Play(CART)
    await play.happens("cart.updated", cart_id="c1")
    await play.happens("cart.updated", cart_id="c2")
    await play.passes(minutes=30)
    await play.happens("order.paid", cart_id="c1")
    assert play.told() == ["exit:order.paid"]
    await play.passes(minutes=30)
    assert play.got() == ["telegram: cart_1"]


async def test_the_same_cart_again_begins_anew() -> None:
    play = Play(CART)
    await play.happens("cart.updated", cart_id="c1")
    await play.passes(minutes=50)
    await play.happens("cart.updated", cart_id="c1")
    await play.passes(minutes=50)
    assert play.got() == []
    await play.passes(minutes=10)
    assert play.got() == ["telegram: cart_1"]
    assert play.told()[0] == "restarted"


async def test_a_channel_without_an_address_gives_way_to_the_next() -> None:
    play = Play(CART.replace("[telegram, sms]", "[sms, telegram]"))
    await play.happens("cart.updated", cart_id="c1")
    await play.passes(hours=1)
    assert play.got() == ["telegram: cart_1"]


async def test_wait_for_a_local_hour_and_a_weekday() -> None:
    play = Play("""
rule: monday
state: live
topic: news
when: {event: form.sent}
steps:
  - wait: {until: "09:30", on: mon-fri}
  - send: {channel: telegram, template: hello}
""")
    await play.happens("form.sent")
    await play.happens("form.sent", "dmitri")
    await play.passes_until(2026, 11, 23, 9, 29)
    assert play.got("dmitri") == ["telegram: hello"], "nine hours earlier in Vladivostok"
    assert play.got() == []
    await play.passes_until(2026, 11, 23, 9, 30)
    assert play.got() == ["telegram: hello"]


async def test_two_ways_many_ways_and_what_is_set_on_the_way() -> None:
    play = Play("""
rule: tiers
state: live
topic: offers
when: {event: order.paid}
steps:
  - add: {contact.spent: start.total}
  - if: contact.first_name == "Anna"
    then:
      - set: {contact.is_anna: true}
  - switch:
      - if: start.total >= 100
        then:
          - send: {channel: telegram, template: big}
      - if: start.total >= 10
        then:
          - send: {channel: telegram, template: middle}
    else:
      - stop: too_small
  - tag: buyer
""")
    await play.happens("order.paid", total=150)
    await play.happens("order.paid", "clara", total=20)
    await play.happens("order.paid", "dmitri", total=1)
    assert (play.got(), play.got("clara"), play.got("dmitri")) == (["telegram: big"], ["telegram: middle"], [])
    assert (play.value("is_anna"), play.value("is_anna", "clara")) == (True, None)
    assert play.value("labels") == ["buyer"] and play.value("labels", "dmitri") is None
    assert play.value("spent", "clara") == 20


async def test_parallel_branches_meet_again() -> None:
    play = Play("""
rule: both
state: live
topic: news
when: {event: welcome.asked}
steps:
  - parallel:
      - - send: {channel: telegram, template: now}
      - - wait: 2d
        - send: {channel: email, template: later}
  - send: {channel: telegram, template: end}
""")
    await play.happens("welcome.asked")
    assert play.got() == ["telegram: now"]
    await play.passes(days=2)
    assert play.got() == ["telegram: now", "email: later", "telegram: end"]


async def test_another_channel_when_nobody_reacts_in_time() -> None:
    text = """
rule: news
state: live
topic: news
when: {event: issue.out}
steps:
  - send: {channel: telegram, template: paper, fallback: {unless: opened, within: 4h, channel: email}}
  - send: {channel: telegram, template: after}
"""
    play = Play(text)
    await play.happens("issue.out")
    await play.passes(hours=4)
    assert play.got() == ["telegram: paper", "email: paper", "telegram: after"]
    other = Play(text)
    await other.happens("issue.out")
    await other.passes(hours=1)
    await other.message_is("opened")
    assert other.got() == ["telegram: paper", "telegram: after"], "the reaction ends the wait"


async def test_an_event_that_this_very_run_makes_does_not_start_it_for_ever() -> None:
    play = Play("""
rule: itself
state: live
class: transactional
when: {event: echo.made}
steps:
  - emit: {event: echo.made}
""")
    await play.happens("echo.made")
    reasons = play.told()
    assert reasons == ["loop"]
    assert len(play.contacts.events["anna"]) == 7


async def test_a_rule_started_by_a_rule_and_two_that_start_each_other() -> None:
    one, two = (
        f"""
rule: {name}
state: live
class: transactional
when: {when}
steps:
  - send: {{channel: telegram, template: {name}}}
  - start: {other}
"""
        for name, when, other in (("ping", "{event: game.begun}", "pong"), ("pong", "{call: api}", "ping"))
    )
    play = Play(one, two)
    await play.happens("game.begun")
    assert play.got() == ["telegram: ping", "telegram: pong"] * 3
    assert play.told()[-1] == "loop"
