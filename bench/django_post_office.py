"""`PYTHON bench/django_post_office.py ROWS PORT`, by an interpreter that has django-post_office, which this project does not need.

ROWS is a file of JSON lines: to, title, text, html, unsubscribe. They are queued in SQLite as its manual says, then sent with its
own five threads and kept connections; both are timed. The last line is one JSON object.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main(rows: list[dict[str, str]], port: int, folder: str) -> dict[str, Any]:
    """Queue the rows, send them, and return what each took."""
    import django  # type: ignore[import-not-found, unused-ignore]
    from django.conf import settings  # type: ignore[import-not-found, unused-ignore]

    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/outbox.sqlite3"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        EMAIL_BACKEND="post_office.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        POST_OFFICE={"BATCH_SIZE": len(rows), "THREADS_PER_PROCESS": 5, "LOG_LEVEL": 1},
        USE_TZ=True,
    )
    django.setup()
    from django.core.management import call_command  # type: ignore[import-not-found, unused-ignore]
    from post_office import mail, models  # type: ignore[import-not-found, unused-ignore]

    call_command("migrate", verbosity=0)
    began, spent = time.perf_counter(), time.process_time()
    for row in rows:
        headers = {"List-Unsubscribe": f"<{row['unsubscribe']}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        mail.send(
            [row["to"]], "La boutique <news@shop.example>", subject=row["title"], message=row["text"],
            html_message=row["html"], headers=headers,
        )  # fmt: skip
    queued = (time.process_time() - spent) / len(rows) * 1e6
    began, spent = time.perf_counter(), time.process_time()
    mail.send_queued(processes=1)
    seconds, used = time.perf_counter() - began, time.process_time() - spent
    sent = models.Email.objects.filter(status=models.STATUS.sent).count()
    return {
        "per_second": len(rows) / seconds, "cpu_us": used / len(rows) * 1e6, "queued_cpu_us": queued, "recorded": sent,
    }  # fmt: skip


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as _folder:
        _rows = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
        print(json.dumps(main(_rows, int(sys.argv[2]), _folder)))
