import asyncio


async def runner(name, speed, barrier, results):
    print(name, 'is warming up')
    await asyncio.sleep(speed / 2)
    position = await barrier.wait()
    print(f'{name} reached the line as number {position}')
    await asyncio.sleep(speed)
    results.append(name)


async def main():
    barrier = asyncio.Barrier(3)
    results = []
    await asyncio.gather(
        runner('hare', 1, barrier, results),
        runner('tortoise', 3, barrier, results),
        runner('fox', 2, barrier, results),
    )
    medals = ('gold', 'silver', 'bronze')
    for medal, name in zip(medals, results):
        print(f'{medal:>7}: {name}')


asyncio.run(main())
