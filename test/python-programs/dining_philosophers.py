import asyncio

NAMES = ['Aristotle', 'Kant', 'Spinoza', 'Marx', 'Russell']


async def philosopher(name, left, right, meals):
    for meal in range(meals):
        print(name, 'is thinking')
        await asyncio.sleep(0.1)
        # The lower fork first: nobody waits in a circle.
        async with left:
            await asyncio.sleep(0)
            async with right:
                print(name, 'is eating meal', meal + 1)
                await asyncio.sleep(0.2)
    print(name, 'has finished')


async def main():
    forks = [asyncio.Lock() for _ in NAMES]
    table = []
    for i, name in enumerate(NAMES):
        a, b = i, (i + 1) % len(forks)
        table.append(philosopher(name, forks[min(a, b)], forks[max(a, b)], 2))
    await asyncio.gather(*table)


if __name__ == "__main__":
    asyncio.run(main())
