# Two tasks that take two locks in different orders, rescued by a timeout.
import asyncio


async def take(name, first, second):
    async with first:
        print(f"{name} has the first lock")
        await asyncio.sleep(1)
        async with second:
            print(f"{name} has both")


async def main():
    a = asyncio.Lock()
    b = asyncio.Lock()
    try:
        async with asyncio.timeout(5):
            async with asyncio.TaskGroup() as tg:
                tg.create_task(take("one", a, b))
                tg.create_task(take("two", b, a))
    except TimeoutError:
        print("deadlock!", a.locked(), b.locked())


asyncio.run(main())
