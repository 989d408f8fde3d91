import asyncio


async def ticker(interval, count):
    """An asynchronous generator."""
    for i in range(count):
        yield i
        await asyncio.sleep(interval)


async def show(name, interval, count):
    async for tick in ticker(interval, count):
        print(f'{name} {tick}')
    print(f'{name} is over')


async def main():
    await asyncio.gather(show('fast', 0.2, 5), show('slow', 0.5, 2))


asyncio.run(main())
