"""After virtualloop.py and oracle.py, in the page: runs programs of the conformance suite on the page's own loop, each on a
new one, and prints what they log. `programs` comes before this.
"""
class PageOracleLoop(asyncio.EventLoop):
    def __init__(self):
        super().__init__()
        self._turns = 0
        self._created = {}
        self._kept = []

    @property
    def _now(self):
        return self.time()

    def select(self, timeout):
        self._turns += 1
        if timeout is None or self._turns > TURNS:
            raise GivenUp
        return super().select(timeout)

    def create_task(self, coro, **kwargs):
        self._created[coro] = len(self._created)
        task = super().create_task(coro, **kwargs)
        self._kept.append(task)
        return task


class PrintingSupport(Support):
    def write(self, text):
        super().write(text)
        print(self.lines[-1])


OracleLoop = PageOracleLoop
Support = PrintingSupport
gc.disable()
for source, left in programs:
    run_one(source, left)
    gc.collect()
