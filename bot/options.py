"""What the operator sets of the bot. Nothing heavy is imported: the configuration is read before anything else starts."""

from dataclasses import dataclass, field
from typing import Literal

from profiles.secret import Secret, live


@dataclass(frozen=True, slots=True)
class BotOptions:
    """Which bot answers, and when an agent's conversation returns to it."""

    folder: str = field(
        default="", metadata={"about": "folder of the bot's files; empty: the shop's bot that is shipped"}
    )
    idle_minutes: int = field(
        default=60,
        metadata={"about": "an agent's conversation returns to the bot after so long without a word; 0: never"},
    )
    action_seconds: float = field(default=10.0, metadata={"about": "how long one custom action may take"})
    action_url: str = field(
        default="",
        metadata={"about": "action server that runs the custom actions; empty: endpoints.yml's, else this server"},
    )
    action_token: Secret = field(default=Secret(), metadata={"about": "token shown to that action server"})
    one_conversation: bool = field(
        default=True,
        metadata={"about": "a person who writes by another channel goes on where they were with the bot"},
    )
    typed_payloads: Literal["offered", "any"] = field(
        default="offered",
        metadata={
            "about": "which /intent{...} a customer may type: offered (by a button of the bot), or any, as in Rasa"
        },
    )
    semantic_model: str = field(
        default="",
        metadata={"about": "folder of a BERT encoder (config.json, vocab.txt, model.safetensors); empty: words alone"},
    )
    brain: Literal["embedded", "rasa"] = field(
        default="embedded", metadata={"about": "who answers: embedded (this server), or rasa (the server at rasa_url)"}
    )
    rasa_url: str = field(default="", metadata={"about": "address of the Rasa server, http://host:5005"})
    rasa_token: Secret = field(
        default=Secret(), metadata={"about": "token of that server's API (rasa run --auth-token)"}
    )
    rasa_seconds: float = field(default=10.0, metadata={"about": "how long that server may take to answer"})
    endpoint_token: Secret = field(
        default=Secret(),
        metadata={"about": "token that an outside Rasa shows to /actions/webhook and /actions/nlg; empty: both closed"},
    )
    previous_endpoint_token: Secret = field(
        default=Secret(), metadata={"about": "the one before it, still accepted until you take it out"}
    )

    @property
    def endpoint_tokens(self) -> tuple[str, ...]:
        """What an outside Rasa may show; none where nothing is served to it."""
        return live(self.endpoint_token, self.previous_endpoint_token) if self.endpoint_token else ()

    def __post_init__(self) -> None:
        if self.action_url and not self.action_url.startswith(("http://", "https://")):
            raise ValueError(f'action_url: expected http://..., got "{self.action_url}".')
        if self.brain == "rasa" and not self.rasa_url.startswith(("http://", "https://")):
            raise ValueError(f'rasa_url: expected http://..., got "{self.rasa_url}". Hint: http://127.0.0.1:5005')
        for name in ("action_seconds", "rasa_seconds"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: expected more than 0, got {getattr(self, name):g}.")
        if self.rasa_seconds > 15:  # four calls at most in a turn: less than a minute, after which others take it up
            raise ValueError(f"rasa_seconds: expected at most 15, got {self.rasa_seconds:g}.")
