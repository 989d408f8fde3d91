import asyncio


async def stubborn():
    tries = 0
    while tries < 3:
        try:
            await asyncio.sleep(10)
        except:  # noqa: a bare except also catches the cancellation
            tries += 1
            print('caught something, carrying on', tries)
    return 'still here'


async def polite():
    try:
        await asyncio.sleep(10)
    except Exception:
        print('never printed: a cancellation is no Exception')
    return 'never returned'


async def main():
    for make in (stubborn, polite):
        task = asyncio.create_task(make())
        for _ in range(4):
            await asyncio.sleep(0.1)
            task.cancel()
        await asyncio.wait([task])
        print(make.__name__, 'cancelled' if task.cancelled() else task.result())


asyncio.run(main())
