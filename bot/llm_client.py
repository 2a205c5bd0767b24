"""One question to an OpenAI-compatible service: messages and tools in, one chosen tool out. No vendor's library.

POST {base_url}/chat/completions, as OpenAI's reference has it; OpenAI, Mistral, vLLM, llama.cpp and Ollama speak it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from profiles.octets import octets_of
from profiles.secret import Secret

_LARGEST_ANSWER = 500_000
_MOST_TOKENS_OUT = 500


class LlmUnwell(Exception):
    """The service gave nothing that can be used; the text says how, without what anybody said."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The tool that the model chose, and what asking has cost."""

    id: str
    name: str
    arguments: Mapping[str, Any]
    tokens_in: int
    tokens_out: int


class LlmClient:
    """One service and model."""

    def __init__(self, base_url: str, model: str, key: Secret) -> None:
        self._url, self._model, self._key = f"{base_url.rstrip('/')}/chat/completions", model, key
        self._session: aiohttp.ClientSession | None = None

    async def choose(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> Choice:
        """Return the tool that the model chooses. Raises LlmUnwell; how long it may take is the caller's affair."""
        body = {
            "model": self._model, "messages": list(messages), "tools": list(tools), "tool_choice": "required",
            "temperature": 0, "max_tokens": _MOST_TOKENS_OUT,
        }  # fmt: skip
        return _choice(await self._post(body))

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session:
            await self._session.close()

    async def _post(self, body: Mapping[str, Any]) -> Any:
        if self._session is None:
            headers = {"Authorization": f"Bearer {self._key.reveal()}"} if self._key else {}
            self._session = aiohttp.ClientSession(headers=headers)
        try:
            async with self._session.post(self._url, json=body, allow_redirects=False) as response:
                if response.status != 200:
                    raise LlmUnwell(f"answered {response.status}")
                answer = await octets_of(response.content, _LARGEST_ANSWER)
            if answer is None:
                raise LlmUnwell("answered too much")
            return json.loads(answer)
        except aiohttp.ClientError as error:
            raise LlmUnwell(f"is out of reach: {type(error).__name__}") from None
        except (ValueError, RecursionError):
            raise LlmUnwell("answered no JSON") from None


def _choice(answer: Any) -> Choice:
    try:
        call = answer["choices"][0]["message"]["tool_calls"][0]
        name, arguments = call["function"]["name"], json.loads(call["function"]["arguments"])
        usage = answer.get("usage") or {}
        tokens = [int(usage.get(key) or 0) for key in ("prompt_tokens", "completion_tokens")]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError):
        raise LlmUnwell("chose no tool") from None
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise LlmUnwell("chose no tool")
    return Choice(str(call.get("id") or "call"), name, arguments, *tokens)
