"""What can go wrong at the database, in our words: what was not written, what nobody knows, what must be thought again."""

from typing import Any

from profiles.lean import absent

with absent("cryptography"):
    import bson
    import pymongo.errors as errors


class Unavailable(Exception):
    """The database did not answer, or did not confirm: nothing may be assumed; the same work may be offered again."""


class AlreadyThere(Exception):
    """A unique key was taken: somebody did this before, or at the same time."""


class Stale(Exception):
    """A record changed since it was read: think again with what is there now."""


class Interrupted(Exception):
    """The connection or the transaction was lost before its commit: nothing was written; try again soon."""


class Unstorable(ValueError):
    """The database can not keep this document (too large, or text that is not Unicode)."""


class translated:  # noqa: N801 (reads as a word where it is used)
    """Turn the driver's exceptions into ours, so that nobody above knows the driver."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or not isinstance(error, (errors.PyMongoError, bson.errors.BSONError, OverflowError)):
            if isinstance(error, UnicodeEncodeError):
                raise Unstorable(f"text that is not Unicode: {error.reason}") from error
            return
        raise _ours(error) from error


def _ours(error: Exception) -> Exception:
    """Return what the driver's error means for whoever wrote: tried on real servers in tests/profiles/test_store.py."""
    if isinstance(error, (bson.errors.BSONError, OverflowError, errors.DocumentTooLarge)):
        return Unstorable(_brief(error))
    if isinstance(error, errors.BulkWriteError):
        return _of_one_document(error)
    if isinstance(error, errors.DuplicateKeyError):
        return AlreadyThere(str((error.details or {}).get("keyPattern", "")))
    if isinstance(error, errors.ServerSelectionTimeoutError):
        return Unavailable(_brief(error))
    code = error.code if isinstance(error, errors.OperationFailure) else None
    if code == _WRITE_CONFLICT:
        return Stale("write conflict")
    # the driver and the server label what is certain not to have been committed, whatever broke: NoSuchTransaction after
    # a restart, a primary that stepped down, a connection that was lost between two commands
    if isinstance(error, errors.PyMongoError) and error.has_error_label("TransientTransactionError"):
        return Interrupted(_brief(error))
    return Unstorable(_brief(error)) if code in _DOCUMENT_IS_WRONG else Unavailable(_brief(error))


NO_NUMBER = 241  # ConversionFailure: how an update of a record at another version fails (profiles/store_statements.py)
_WRITE_CONFLICT = 112
_DUPLICATE = 11000
# github.com/mongodb/mongo src/mongo/base/error_codes.yml: what the same document will meet again on every attempt
_DOCUMENT_IS_WRONG = frozenset({2, 9, 14, 15, 22, 28, 40, 52, 54, 55, 56, 57, 66, 121, 10334, 17280, 17419, 17420})


def _of_one_document(error: errors.BulkWriteError) -> Exception:
    failures = error.details.get("writeErrors", [])
    codes = {failure.get("code") for failure in failures}
    if _DUPLICATE in codes:
        return AlreadyThere(str(failures[0].get("keyPattern", "")))
    if codes & {_WRITE_CONFLICT, NO_NUMBER}:
        return Stale("write conflict")
    if codes & _DOCUMENT_IS_WRONG:
        return Unstorable(f"write refused: codes {sorted(map(str, codes))}")
    return Unavailable(f"bulk write failed: codes {sorted(map(str, codes))}")


def _brief(error: Exception) -> str:
    """Name the error without the document in it: this text is logged."""
    code = getattr(error, "code", None)
    return type(error).__name__ + (f" code {code}" if code else "")
