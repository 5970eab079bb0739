"""A plugin of pytest that runs the tests named in a file, if there is one, and notes how each ends.

CHECK_TESTS is the path of a JSON list of tests to run, CHECK_RESULTS that of a file which gets a JSON line for each test.
"""

import json
import os
import pathlib

OUTPUT = open(os.environ["CHECK_RESULTS"], "a")
FAILED = {}


def pytest_collection_modifyitems(config, items):
    path = os.environ.get("CHECK_TESTS")
    if not path:
        return
    wanted = set(json.loads(pathlib.Path(path).read_text()))
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in wanted])
    items[:] = [item for item in items if item.nodeid in wanted]


def pytest_runtest_logreport(report):
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        FAILED[report.nodeid] = (crash.message if crash else str(report.longrepr))[:600]
    if report.when == "teardown":
        note(report.nodeid, "failed" if report.nodeid in FAILED else OUTCOMES.pop(report.nodeid, "passed"))
    elif report.skipped:
        OUTCOMES[report.nodeid] = "skipped"


OUTCOMES = {}


def note(test, outcome):
    OUTPUT.write(json.dumps([test, outcome, FAILED.pop(test, "")]) + "\n")
    OUTPUT.flush()
