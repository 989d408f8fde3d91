import asyncio


class Debouncer:
    """Calls `action` only when there was no event for `delay` seconds."""

    def __init__(self, delay, action):
        self.delay = delay
        self.action = action
        self._handle = None

    def trigger(self, value):
        if self._handle is not None:
            self._handle.cancel()
        loop = asyncio.get_running_loop()
        self._handle = loop.call_later(self.delay, self.action, value)


def search(text):
    print(f'searching for {text!r} at {asyncio.get_running_loop().time():.1f}')


async def main():
    box = Debouncer(0.3, search)
    typed = ''
    for key in 'asyncio':
        typed += key
        box.trigger(typed)
        await asyncio.sleep(0.1 if key != 'n' else 0.5)
    await asyncio.sleep(1)


asyncio.run(main())
