"""Custom actions: Python classes written against rasa_sdk, run in this process by rasa_sdk's own executor.

The one home of rasa_sdk, imported when the first action is called: 0.3 s and 40 MB that a bot without actions never pays.
Actions are found in the bot's own `actions/` folder or `actions.py`. An action's `run` that is no coroutine goes to a
thread; every action has a deadline; what it raises is a result, never an exception here. rasa_sdk keeps and changes the
dictionaries it is given, so it gets copies.
"""

import asyncio
import copy
import importlib.util
import inspect
import logging
import sys
import traceback
import warnings
import zlib
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from types import ModuleType
from typing import Any

from bot.answering import BotOptions
from bot.contract import ActionCall, ActionResult

log = logging.getLogger("bot.actions")

_VERSION = "3.6"
_LONGEST_PROBLEM = 300
_THREADS = 8  # a thread that outlives its deadline cannot be stopped, only counted


class Actions:
    """The custom actions of one bot. Nothing is imported before the first call."""

    def __init__(self, options: BotOptions) -> None:
        self._folder = Path(options.folder) if options.folder else None
        self._seconds = options.action_seconds
        self._executor: Any = None
        self._problem = ""
        self._loading = asyncio.Lock()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="bot-action")

    async def run(self, call: ActionCall) -> ActionResult:
        """Return what the action came to within the deadline; whatever it raises is a `failed` result."""
        await self.load()
        if self._problem:
            return ActionResult("failed", problem=self._problem)
        from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException

        payload = {
            "next_action": call.name,
            "sender_id": call.tracker.get("sender_id"),
            "version": _VERSION,
            "tracker": copy.deepcopy(dict(call.tracker)),
            "domain": copy.deepcopy(dict(call.domain)),
        }
        try:
            result = await asyncio.wait_for(self._executor.run(payload), self._seconds)
        except ActionExecutionRejection:
            return ActionResult("rejected")
        except ActionNotFoundException:
            return ActionResult("failed", problem="no class in the bot's actions has this name", is_unknown=True)
        except TimeoutError:
            return ActionResult("failed", problem=f"took longer than {self._seconds:g} s")
        except Exception as error:  # noqa: BLE001 (a bot's own code may raise anything)
            log.warning("action.run raised action=%s error=%s", call.name, type(error).__name__, exc_info=error)
            return ActionResult("failed", problem=f"raised {type(error).__name__}")
        return ActionResult("done", tuple(result.events or ()), tuple(result.responses or ()))

    @property
    def problem(self) -> str:
        """Why the actions could not be imported; empty while nobody knows of any reason."""
        return self._problem

    async def load(self) -> tuple[str, ...]:
        """Import the bot's actions, once, and return their names; empty when the import failed (then it was logged)."""
        async with self._loading:
            if self._executor is None and not self._problem:
                try:
                    self._executor = await asyncio.to_thread(self._import)
                except BaseException as error:  # noqa: BLE001 (SystemExit too: a module that cannot be imported must not stop us)
                    if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
                        raise
                    words = " ".join(str(error).split())[:_LONGEST_PROBLEM]
                    where = _place_in(self._folder, error)
                    self._problem = f"the bot's actions cannot be imported: {type(error).__name__}: {words}{where}"
                    log.error("actions.load failed folder=%s", self._folder, exc_info=error)
        return tuple(sorted(self._executor.actions)) if self._executor else ()

    async def close(self) -> None:
        """Let go of the threads; one that is stuck ends with the process."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _import(self) -> Any:
        from rasa_sdk import Action
        from rasa_sdk.executor import ActionExecutor

        _give_back_safe_load()
        # Without a validate_x method rasa_sdk warns at each turn; a slot without its own check is ordinary.
        logging.getLogger("rasa_sdk.forms").setLevel(logging.ERROR)
        warnings.filterwarnings("ignore", category=UserWarning, module=r"rasa_sdk\.forms")
        executor = ActionExecutor()
        for module in _modules(self._folder) if self._folder else ():
            for action in _actions_in(module, Action):
                executor.register_function(action.name(), self._runner(action))
        return executor

    def _runner(self, action: Any) -> Callable[..., Awaitable[Any]]:
        if not _blocks(action):

            async def on_the_loop(dispatcher: Any, tracker: Any, domain: Any) -> Any:
                return await _contained(action.run(dispatcher, tracker, domain))

            return on_the_loop

        async def in_a_thread(dispatcher: Any, tracker: Any, domain: Any) -> Any:
            loop, here = asyncio.get_running_loop(), copy_context()  # bot.sdk finds its desk in the context
            running = loop.run_in_executor(self._threads, here.run, _run_here, action, dispatcher, tracker, domain)
            return await _contained(running)

        return in_a_thread


def has_actions(folder: Path) -> bool:
    """Whether the bot's folder holds actions of its own: actions.py, or a Python file in actions/."""
    return (folder / "actions.py").is_file() or any((folder / "actions").glob("*.py"))


def _give_back_safe_load() -> None:
    """Let actions call ruamel.yaml.safe_load, as in Rasa's own environment; ruamel.yaml 0.18 left it there only to raise."""
    import ruamel.yaml

    def safe_load(stream: Any) -> Any:
        return ruamel.yaml.YAML(typ="safe", pure=True).load(stream)

    setattr(ruamel.yaml, "safe_load", safe_load)  # noqa: B010 (its own declaration says that it never returns)


def _run_here(action: Any, dispatcher: Any, tracker: Any, domain: Any) -> Any:
    try:
        result = action.run(dispatcher, tracker, domain)
        return asyncio.run(result) if inspect.iscoroutine(result) else result
    except SystemExit as error:
        raise RuntimeError("the action exits") from error


async def _contained(running: Awaitable[Any]) -> Any:
    """Return what the action returns; that it exits or cancels itself is its failure, never the server's end."""
    try:
        return await running
    except SystemExit as error:  # a task that raises it stops the event loop
        raise RuntimeError("the action exits") from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():  # by us: too late, or the server stops
            raise
        raise RuntimeError("the action cancels itself") from error


def _blocks(action: Any) -> bool:
    """Whether the action's own code may hold the event loop: a plain `run`, or a validation with plain methods only."""
    if not inspect.iscoroutinefunction(action.run):
        return True
    own = [
        method
        for name, method in inspect.getmembers(action, inspect.ismethod)
        if name.startswith(("validate_", "extract_")) and not method.__func__.__module__.startswith("rasa_sdk")
    ]
    is_inherited = action.run.__func__.__module__.startswith("rasa_sdk")
    return is_inherited and not any(inspect.iscoroutinefunction(method) for method in own)


def _actions_in(module: ModuleType, base: type) -> Iterator[Any]:
    """Yield an instance of each action class that the module itself defines."""
    for thing in list(vars(module).values()):
        is_action = inspect.isclass(thing) and issubclass(thing, base) and thing.__module__ == module.__name__
        if is_action and not inspect.isabstract(thing):
            yield thing()


def _place_in(folder: Path | None, error: BaseException) -> str:
    """Return where in the bot's own files an import broke off, to be said after the error."""
    root = str(folder.resolve()) if folder else ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if root and frame.filename.startswith(root)]
    return f" ({Path(frames[-1].filename).relative_to(root).as_posix()}, line {frames[-1].lineno})" if frames else ""


def _modules(folder: Path) -> Iterator[ModuleType]:
    """Import the bot's `actions.py` or `actions/`; a name of its own in sys.modules keeps two bots apart."""
    package = f"causerie_bot_{zlib.crc32(str(folder.resolve()).encode()):08x}"
    single, several = folder / "actions.py", folder / "actions"
    if single.is_file():
        yield _import_file(package, single, None)
    elif several.is_dir():
        start = several / "__init__.py"
        with _known_as_actions(_import_file(package, start if start.is_file() else None, several)) as parent:
            yield parent
            for path in sorted(several.glob("*.py")):
                if path.name != "__init__.py":
                    yield _import_file(f"{package}.{path.stem}", path, None)


def _import_file(name: str, path: Path | None, package: Path | None) -> ModuleType:
    if name in sys.modules:
        return sys.modules[name]
    if path is None:
        module = ModuleType(name)
        module.__path__ = [str(package)]
        sys.modules[name] = module
        return module
    spec = importlib.util.spec_from_file_location(
        name, path, submodule_search_locations=[str(package)] if package else None
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import {path.name}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _known_as_actions(package: ModuleType) -> Iterator[ModuleType]:
    """While the bot's modules are imported, let them also say `from actions.x import y`, as Rasa's projects do."""
    before = sys.modules.get("actions")
    sys.modules["actions"] = package
    try:
        yield package
    finally:
        for name in [name for name in sys.modules if name == "actions" or name.startswith("actions.")]:
            del sys.modules[name]
        if before is not None:
            sys.modules["actions"] = before
