import asyncio
from contextlib import asynccontextmanager


class Connection:
    def __init__(self, number):
        self.number = number

    async def execute(self, query):
        await asyncio.sleep(0.2)
        return f'{query} on connection {self.number}'


class Pool:
    def __init__(self, size):
        self._free = asyncio.LifoQueue()
        for number in range(size):
            self._free.put_nowait(Connection(number))

    @asynccontextmanager
    async def acquire(self):
        connection = await self._free.get()
        try:
            yield connection
        finally:
            self._free.put_nowait(connection)


async def query(pool, text):
    async with pool.acquire() as connection:
        result = await connection.execute(text)
        print(result)
        return result


async def main():
    pool = Pool(2)
    results = await asyncio.gather(*[query(pool, f'SELECT {n}') for n in range(5)])
    print(len(results))


asyncio.run(main())
