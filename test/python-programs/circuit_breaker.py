from __future__ import annotations

import asyncio
import enum
import time


class State(enum.Enum):
    CLOSED = 'closed'
    OPEN = 'open'
    HALF_OPEN = 'half-open'


class CircuitOpen(RuntimeError):
    pass


class CircuitBreaker:
    def __init__(self, threshold: int = 3, recovery: float = 1.0) -> None:
        self.threshold = threshold
        self.recovery = recovery
        self.failures = 0
        self.opened_at = 0.0
        self.state = State.CLOSED

    async def call(self, func, *args):
        if self.state is State.OPEN:
            if time.monotonic() - self.opened_at < self.recovery:
                raise CircuitOpen('circuit is open')
            self.state = State.HALF_OPEN
        try:
            result = await func(*args)
        except Exception:
            self.failures += 1
            if self.failures >= self.threshold or self.state is State.HALF_OPEN:
                self.state = State.OPEN
                self.opened_at = time.monotonic()
            raise
        else:
            self.failures = 0
            self.state = State.CLOSED
            return result


healthy_from = 1.5


async def service(n: int) -> str:
    await asyncio.sleep(0.1)
    if time.monotonic() < healthy_from:
        raise ConnectionError(f'service down for {n}')
    return f'answer {n}'


async def main() -> None:
    breaker = CircuitBreaker()
    for n in range(10):
        try:
            print(n, await breaker.call(service, n), breaker.state.value)
        except CircuitOpen as e:
            print(n, 'skipped:', e)
        except ConnectionError as e:
            print(n, 'failed:', e, breaker.state.name)
        await asyncio.sleep(0.2)


asyncio.run(main())
