"""Tells the page what a loop does, as plain facts for its EventBuilder, and changes nothing of the order: it adds no callback,
handle or task.
"""
import json

import _host

MOST = 64  # facts that may wait


class Recorder:
    def __init__(self, loop, number):
        self.loop = loop
        self.number = number
        self.facts = []
        self.announced = False

    def tell(self, name, *values):
        self.facts.append((name, *values))
        if len(self.facts) >= MOST:
            self.send()

    def send(self):
        if self.facts:
            facts, self.facts = self.facts, []
            _host.tell(self.number, json.dumps(facts))

    def flush(self):
        self.send()
        _host.flush()

    def started(self):
        if not self.announced:
            self.announced = True
            self.about_loop('loop.started')

    def closed(self):
        self.about_loop('loop.closed')
        self.flush()

    def about_loop(self, kind):
        clock = 'virtual' if self.loop.clock.virtual else 'real'
        self.tell('loop', kind, self.loop.time(), {'name': 'playground', 'pid': 0, 'clock': clock})

    def printed(self, text):
        self.tell('printed', self.loop.time(), 0, text)
