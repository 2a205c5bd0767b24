"""What the configuration says about a language model. Nothing here, and nothing imported, unless a mode is chosen."""

from dataclasses import dataclass, field
from typing import Literal

from profiles.secret import Secret


@dataclass(frozen=True, slots=True)
class LlmOptions:
    """Whether a language model helps the bot, which one, and how much it may cost."""

    mode: Literal["off", "fallback", "commands", "draft"] = field(
        default="off",
        metadata={
            "about": "off; fallback: when the bot does not understand; commands: it first; draft: for agents only"
        },
    )
    base_url: str = field(
        default="", metadata={"about": "OpenAI-compatible service, up to /v1: https://... or http://127.0.0.1:11434/v1"}
    )
    model: str = field(default="", metadata={"about": "the model's name there"})
    api_key: Secret = field(default=Secret(), metadata={"about": "its key; empty for a service that asks for none"})
    seconds: float = field(default=8.0, metadata={"about": "how long all rounds of one message may take together"})
    max_rounds: int = field(default=3, metadata={"about": "how often it may be asked about one message"})
    tokens_per_day: int = field(
        default=200_000, metadata={"about": "tokens a day (UTC) over all conversations; then off"}
    )
    price_in: float = field(default=0.0, metadata={"about": "price of a million tokens in, for the log"})
    price_out: float = field(default=0.0, metadata={"about": "price of a million tokens out, for the log"})

    def __post_init__(self) -> None:
        if self.mode == "off":
            return
        if not self.base_url.startswith(("http://", "https://")):
            raise ValueError(f'base_url: expected http://..., got "{self.base_url}". Hint: http://127.0.0.1:11434/v1')
        if not self.model:
            raise ValueError('model: expected a name, got "".')
        if self.seconds > 30:  # a turn is taken up by others after a minute
            raise ValueError(f"seconds: expected at most 30, got {self.seconds:g}.")
        if self.seconds <= 0 or self.max_rounds < 1 or self.tokens_per_day < 0:
            raise ValueError("expected seconds above 0, max_rounds of 1 or more, tokens_per_day of 0 or more.")
