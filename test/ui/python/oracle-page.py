"""After virtualloop.py and oracle.py, in the page: runs programs of the conformance suite on the page's own loop, each on a
new one, and prints what they log. `programs` comes before this.
"""
class PageOracleLoop(Counted, asyncio.EventLoop):
    @property
    def _now(self):
        return self.time()


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
