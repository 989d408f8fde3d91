import asyncio
import time
from collections import deque


class RateLimiter:
    """At most `calls` calls in `period` seconds."""

    def __init__(self, calls: int, period: float):
        self.calls = calls
        self.period = period
        self._times: deque[float] = deque()
        self._lock = asyncio.Lock()

    async def __aenter__(self):
        async with self._lock:
            while len(self._times) >= self.calls:
                wait = self._times[0] + self.period - time.monotonic()
                if wait > 0:
                    await asyncio.sleep(wait)
                self._times.popleft()
            self._times.append(time.monotonic())
        return self

    async def __aexit__(self, *exc):
        return False


async def call_api(limiter, started, number):
    async with limiter:
        elapsed = time.monotonic() - started
        print(f'request {number} sent after {elapsed:.2f}s')
        await asyncio.sleep(0.1)


async def main():
    limiter = RateLimiter(3, 1.0)
    started = time.monotonic()
    await asyncio.gather(*[call_api(limiter, started, n) for n in range(8)])


asyncio.run(main())
