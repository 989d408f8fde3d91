import asyncio


def fib(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


async def series(name, limit):
    values = []
    for n in range(limit):
        values.append(fib(n))
        await asyncio.sleep(0)
    print(f'{name}: {values}')
    return sum(values)


async def factorial(name, number):
    f = 1
    for i in range(2, number + 1):
        print(f'Task {name}: Compute factorial({number}), currently i={i}...')
        await asyncio.sleep(1)
        f *= i
    print(f'Task {name}: factorial({number}) = {f}')
    return f


async def main():
    print(await asyncio.gather(factorial('A', 2), factorial('B', 3), factorial('C', 4)))
    totals = await asyncio.gather(series('x', 8), series('y', 12))
    print(totals, sum(totals) // 2, sum(totals) % 7, 7 / 2, 2 ** 10, -7 // 2, -7 % 3)


asyncio.run(main())
