"""The help desk's custom actions: session start, mappings, validation, fallbacks, followups, rejections."""

from rasa_sdk import Action, ValidationAction
from rasa_sdk.events import ActionExecuted, FollowupAction, SessionStarted, SlotSet, UserUtteranceReverted
from rasa_sdk.interfaces import ActionExecutionRejection


class SessionStart(Action):
    def name(self):
        return "action_session_start"

    async def run(self, dispatcher, tracker, domain):
        kept = [SlotSet(name, tracker.get_slot(name)) for name in ("device", "seen")]
        return [SessionStarted(), *kept, SlotSet("owner", "Anna"), ActionExecuted("action_listen")]


class FindTicket(Action):
    def name(self):
        return "action_find_ticket"

    def run(self, dispatcher, tracker, domain):
        found = [one["value"] for one in tracker.latest_message["entities"] if one["entity"] == "ticket"]
        if not found:
            return []
        dispatcher.utter_message(text=f"Found {found[-1]}.")
        return [SlotSet("ticket", found[-1]), SlotSet("seen", (tracker.get_slot("seen") or 0) + 1)]


class ValidateMappings(ValidationAction):
    async def extract_owner(self, dispatcher, tracker, domain):
        text = tracker.latest_message.get("text") or ""
        return {"owner": text[3:]} if text.startswith("it ") else {}

    def validate_device(self, value, dispatcher, tracker, domain):
        if value == "toaster":
            dispatcher.utter_message(text="No toasters.")
            return {"device": None}
        return {"device": str(value).lower()}


class Lost(Action):
    def name(self):
        return "action_lost"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="I am lost.")
        return [UserUtteranceReverted()]


class AskAffirmation(Action):
    def name(self):
        return "action_default_ask_affirmation"

    def run(self, dispatcher, tracker, domain):
        likely = [one["name"] for one in tracker.latest_message["intent_ranking"] if one["name"] != "nlu_fallback"]
        guess = likely[0] if likely else "hello"
        dispatcher.utter_message(
            text=f"Do you mean {guess}?",
            buttons=[{"title": "Yes", "payload": f"/{guess}"}, {"title": "No", "payload": "/out_of_scope"}],
        )
        return []


class Look(Action):
    def name(self):
        return "action_look"

    def run(self, dispatcher, tracker, domain):
        loop = (tracker.active_loop or {}).get("name")
        said = tracker.latest_message["intent"]["name"]
        dispatcher.utter_message(
            text=f"{said} {loop} {tracker.get_slot('requested_slot')} {tracker.latest_action_name}"
        )
        return []


class Repeat(Action):
    def name(self):
        return "action_repeat"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(response="utter_hello", owner="somebody")
        dispatcher.utter_message(text="twice", buttons=[{"title": "Report", "payload": "/report"}])
        return [SlotSet("urgency", "low"), FollowupAction("action_look")]


class Loop(Action):
    def name(self):
        return "action_loop"

    def run(self, dispatcher, tracker, domain):
        return [FollowupAction("action_listen")]


class Report(Action):
    def name(self):
        return "action_report"

    def run(self, dispatcher, tracker, domain):
        return [SlotSet("problem", None), FollowupAction("action_loop")]


class AskProblem(Action):
    def name(self):
        return "action_ask_problem"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text=f"What is wrong with the {tracker.get_slot('device')}?")
        return [SlotSet("urgency", "high")]


class Reject(Action):
    def name(self):
        return "action_reject"

    def run(self, dispatcher, tracker, domain):
        raise ActionExecutionRejection("action_reject")
