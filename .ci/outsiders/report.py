"""Counts what an outsider found: one line a check, and `N passed, N failed` at the end."""
import sys
import traceback

passed = failed = 0


def check(title, work):
    """Runs one step of the walk; what it returns is handed on, what it raises is a failure."""
    global passed, failed
    try:
        value = work()
        passed += 1
        print(f"ok - {title}", flush=True)
        return value
    except Exception as error:  # every failure of a foreign client is a finding
        failed += 1
        print(f"not ok - {title}: {type(error).__name__}: {error}", flush=True)
        traceback.print_exc(limit=3)
        return None


def expect(truth, what):
    if not truth:
        raise AssertionError(what)
    return truth


def end():
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)
