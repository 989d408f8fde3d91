from __future__ import annotations

import asyncio


class BatchLoader:
    """Collects keys for a tick of the loop, then loads all of them at once."""

    def __init__(self, load):
        self._load = load
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self.batches = 0

    def get(self, key: int) -> asyncio.Future[str]:
        loop = asyncio.get_running_loop()
        if key not in self._waiting:
            if not self._waiting:
                loop.call_soon(self._dispatch)
            self._waiting[key] = loop.create_future()
        return self._waiting[key]

    def _dispatch(self) -> None:
        waiting, self._waiting = self._waiting, {}
        self.batches += 1
        asyncio.create_task(self._fill(waiting))

    async def _fill(self, waiting: dict[int, asyncio.Future[str]]) -> None:
        names = await self._load(list(waiting))
        for future, name in zip(waiting.values(), names):
            future.set_result(name)


async def load_names(keys: list[int]) -> list[str]:
    print('SELECT name WHERE id IN', tuple_text(keys))
    await asyncio.sleep(0.1)
    return [f'name-{key}' for key in keys]


def tuple_text(keys: list[int]) -> str:
    return '(' + ', '.join(str(key) for key in keys) + ')'


async def main() -> None:
    loader = BatchLoader(load_names)
    print(await asyncio.gather(loader.get(1), loader.get(2), loader.get(1)))
    print(await loader.get(7))
    print('batches:', loader.batches)


asyncio.run(main())
