#!/usr/bin/env python3
"""Runs the tests: each suite in a process of its own, several side by side; then each test that failed once more, alone.

A test that fails both times is FAILED. One that passes alone is FLAKY: it is named with its first failure, and more than
`--flaky` of them in one run fail the run. Results come from Swift Testing's event stream, not from its text.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

# Parts that take long begin first, the longest of all before the others, so that none of them is left over at the end.
LONG = """
    ScalingTests LoadTests LifecycleTests OptionTests PackageTests SWSGIWireTests FaultTests DeathTests DeadlineTests RecyclingTests
    GenerationTests ScaleTests BrokenGroupTests StreamingTests StatusTests
""".split()
# Seconds after which a suite counts as hung: far beyond the slowest one on a busy machine.
HUNG = 1200


class Test:
    """One test function and what became of it; the cases of a parameterized one count together."""

    def __init__(self, name):
        self.name = name
        self.place = ""
        self.state = "waiting"
        self.seconds = 0.0
        self.issues = []

    def fail(self, text):
        self.state = "failed"
        if not self.issues:
            self.issues.append((self.place, text))


def listed(binary):
    output = subprocess.run(
        [binary, "--testing-library", "swift-testing", "--list-tests"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return [line for line in output.splitlines() if "/" in line]


def part(name):
    """What runs in one process: a suite of the integration tests, or another target as a whole."""
    target, _, rest = name.partition(".")
    return f"{target}.{rest.split('/')[0]}/" if target == "IntegrationTests" else f"{target}."


def parts(names):
    """The names of each part; long suites first."""
    result = {}
    for name in names:
        result.setdefault(part(name), []).append(name)
    rank = {name: index for index, name in enumerate(LONG)}
    return sorted(result.items(), key=lambda item: (rank.get(item[0][:-1].split(".")[-1], len(LONG)), -len(item[1])))


class Process:
    """One test process, which runs some tests of one suite or target."""

    def __init__(self, binary, title, names, work, pattern=None):
        """`pattern` matches these names and no others; without it each of them is matched by its own, which takes longer."""
        self.title = title
        self.names = names
        self.tests = {name: Test(name) for name in names}
        self.events = tempfile.mktemp(suffix=".jsonl", dir=work)
        self.output = tempfile.TemporaryFile(dir=work)
        self.began = time.monotonic()
        arguments = [binary, "--testing-library", "swift-testing", "--event-stream-version", "0"]
        arguments += ["--event-stream-output-path", self.events]
        for pattern in [pattern] if pattern else ["^" + re.escape(name) + "(/|$)" for name in names]:
            arguments += ["--filter", pattern]
        # A session of its own: Ctrl-C is for this script, which ends the process.
        self.child = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True
        )

    def has_ended(self):
        if self.child.poll() is None:
            if time.monotonic() - self.began < HUNG:
                return False
            os.kill(self.child.pid, signal.SIGABRT)
            self.child.wait()
        self.seconds = time.monotonic() - self.began
        self.read_events()
        return True

    def read_events(self):
        started = {}
        with open(self.events, "rb") if os.path.exists(self.events) else open(os.devnull, "rb") as lines:
            for line in lines:
                try:
                    self.read_event(json.loads(line), started)
                except ValueError:
                    pass  # the process has ended in the middle of a line
        status = self.child.returncode
        for test in self.tests.values():
            if test.state == "started":
                test.fail(f"the test process ended with status {status} while this test ran:\n{self.tail()}")
        # A process that ran none of its tests would not do better a second time.
        if not started:
            for test in self.tests.values():
                test.fail(f"the test process ended with status {status} before any test:\n{self.tail()}")

    def read_event(self, event, started):
        kind, payload = event["kind"], event["payload"]
        identity = payload.get("testID") or payload.get("id") or ""
        # The last part of an identity is the place in the source.
        test = self.tests.get(identity.rpartition("/")[0])
        if test is None:
            return
        if kind == "test":
            place = payload["sourceLocation"]
            test.place = f"{place['fileID']}:{place['line']}"
            return
        messages = payload.get("messages", [])
        at = payload["instant"]["absolute"]
        kind = payload["kind"]
        if kind == "testStarted":
            started[test.name] = at
            test.state = "started"
        elif kind == "testSkipped":
            started[test.name] = at
            test.state = "skipped"
        elif kind == "issueRecorded" and not payload["issue"].get("isKnown"):
            place = payload["issue"].get("sourceLocation")
            place = f"{place['fileID']}:{place['line']}" if place else test.place
            test.issues.append((place, "\n".join(message["text"] for message in messages)))
        elif kind == "testEnded":
            test.seconds = at - started.get(test.name, at)
            if test.state == "started":
                test.state = "failed" if test.issues else "passed"

    def tail(self):
        self.output.seek(0)
        text = self.output.read().decode("utf-8", "replace")
        return "\n".join([line for line in text.splitlines() if not line.startswith(("◇", "✔"))][-40:])

    def unbegun(self):
        return [test.name for test in self.tests.values() if test.state == "waiting"]

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            self.child.wait()


class Run:
    """All tests once: first the suites side by side, then what failed, one by one."""

    def __init__(self, binary, workers):
        self.binary = binary
        self.workers = workers
        self.results = {}
        self.flaky = []
        self.running = []

    def go(self, names, work, all_names):
        queue = parts(names)
        whole = dict(parts(all_names))
        while queue or self.running:
            while queue and len(self.running) < self.workers:
                title, names = queue.pop(0)
                pattern = "^" + re.escape(title) if names == whole[title] else None
                self.running.append(Process(self.binary, title, names, work, pattern))
            for process in [process for process in self.running if process.has_ended()]:
                self.running.remove(process)
                self.collect(process)
                if process.unbegun():
                    queue.insert(0, (process.title, process.unbegun()))
            time.sleep(0.02)
        self.again(work)

    def collect(self, process):
        done = [test for test in process.tests.values() if test.state != "waiting"]
        self.results.update({test.name: test for test in done})
        failed = [test for test in done if test.state == "failed"]
        skipped = sum(test.state == "skipped" for test in done)
        print(
            f"{'failed' if failed else 'ok    '}  {process.seconds:6.1f} s  {process.title[:-1]}: {len(done)} tests"
            + (f", {skipped} skipped" if skipped else ""),
            flush=True,
        )
        for test in failed:
            show(test)

    def again(self, work):
        """What failed runs once more, with no other test beside it."""
        for name in [test.name for test in self.results.values() if test.state == "failed"]:
            print(f"once more, alone: {name}", flush=True)
            process = Process(self.binary, name, [name], work)
            self.running = [process]
            while not process.has_ended():
                time.sleep(0.02)
            self.running = []
            if process.tests[name].state == "passed":
                self.flaky.append(self.results[name])
                self.results[name] = process.tests[name]
            else:
                show(process.tests[name])

    def stop(self):
        for process in self.running:
            process.stop()

    def of_state(self, state):
        return [test for test in self.results.values() if test.state == state]


def show(test, heading="  "):
    place, text = test.issues[0] if test.issues else (test.place, "no issue was recorded")
    print(f"{heading}{test.name}\n    {place}")
    for line in text.splitlines()[:60]:
        print(f"    {line[:600]}")
    if len(test.issues) > 1:
        print(f"    ({len(test.issues) - 1} more)")


def report(runs):
    """Both lists, whatever they hold, of all runs together."""
    failed = [test for run in runs for test in run.of_state("failed")]
    flaky = [test for run in runs for test in run.flaky]
    print(f"\nFAILED: {len(failed) or 'none'}")
    for test in failed:
        show(test)
    print(f"\nFLAKY, failed once and passed alone: {len(flaky) or 'none'}")
    for test in flaky:
        show(test)
    slowest = sorted(runs[-1].results.values(), key=lambda test: -test.seconds)[:5]
    print("\nSlowest: " + ", ".join(f"{test.name.partition('.')[2]} {test.seconds:.0f} s" for test in slowest) + "\n")
    passed, skipped = (sum(len(run.of_state(state)) for run in runs) for state in ("passed", "skipped"))
    print(f"{passed} passed, {len(failed)} failed, {skipped} skipped")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--filter", action="append", metavar="PATTERN", help="only tests whose name it matches")
    parser.add_argument("--workers", type=int, default=4, help="test processes side by side")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="run all of it so many times")
    parser.add_argument("--load", type=int, default=0, metavar="M", help="beside so many busy processes")
    parser.add_argument("--flaky", type=int, default=2, metavar="N", help="as many flaky tests are let pass in a run")
    options = parser.parse_args()
    all_names = listed(options.binary)
    names = [name for name in all_names if not options.filter or any(re.search(item, name) for item in options.filter)]
    if not names:
        sys.exit("suites.py: no test has such a name")
    # They end with this script, however that ends.
    busy = ["timeout", "--signal=KILL", str(3 * HUNG), "sh", "-c", f"while kill -0 {os.getpid()} 2>&-; do :; done"]
    load = [subprocess.Popen(busy, start_new_session=True) for _ in range(options.load)]
    runs = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory() as work:
            for number in range(options.repeat):
                began = time.monotonic()
                runs.append(Run(options.binary, options.workers))
                runs[-1].go(names, work, all_names)
                seconds = time.monotonic() - began
                print(f"run {number + 1} of {options.repeat}: {seconds:.0f} s, {len(runs[-1].flaky)} flaky", flush=True)
    finally:
        for run in runs:
            run.stop()
        for process in load:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    failed = report(runs)
    if max(len(run.flaky) for run in runs) > options.flaky:
        sys.exit(f"suites.py: more than {options.flaky} flaky tests in one run")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
