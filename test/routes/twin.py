"""Runs a Python program on the loop of ../conformance/virtualloop.py, which has to run before this, and gives back what it
printed, each line with its time."""
import asyncio
import builtins
import io
import json
import time
from asyncio import events


def run_twin(source, helper, parameters):
    loop = VirtualLoop()
    printed = []

    def show(*values):
        text = io.StringIO()
        builtins.print(*values, file=text, end='')
        printed.append([round(loop.time(), 6), text.getvalue()])

    def block(seconds):
        loop._now += seconds

    scope = {'__name__': 'twin', 'print': show}
    exec(helper, chance := {})
    exec(source, scope)
    parameters = json.loads(parameters)
    seed = parameters.pop('seed', None)
    if seed is not None:
        parameters['random'] = chance['Chance'](seed)
    slept, time.sleep = time.sleep, block
    # Pyodide has a loop of its own, driven by the browser or by Node, and marks it as running now and then.
    outer = events._get_running_loop()
    events._set_running_loop(None)
    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(scope['main'](**parameters))
    finally:
        time.sleep = slept
        events._set_running_loop(outer)
    return json.dumps(printed)
