import asyncio


class BoundedBuffer:
    def __init__(self, size):
        self.items = []
        self.size = size
        self.changed = asyncio.Condition()

    async def put(self, item):
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.items) < self.size)
            self.items.append(item)
            print('+', item, self.items)
            self.changed.notify_all()

    async def take(self):
        async with self.changed:
            while not self.items:
                await self.changed.wait()
            item = self.items.pop(0)
            print('-', item, self.items)
            self.changed.notify_all()
            return item


async def produce(buffer, items):
    for item in items:
        await buffer.put(item)


async def consume(buffer, n):
    return [await buffer.take() for _ in range(n)]


async def main():
    buffer = BoundedBuffer(2)
    _, first, second = await asyncio.gather(produce(buffer, 'abcdef'), consume(buffer, 3), consume(buffer, 3))
    print(first, second)


asyncio.run(main())
