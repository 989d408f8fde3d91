import asyncio
import time


async def countdown(name, n):
    while n > 0:
        print(name, n)
        await asyncio.sleep(1)
        n -= 1
    print(name, "lift off!")


start = time.perf_counter()


async def main():
    await asyncio.gather(countdown("A", 3), countdown("B", 2))


if __name__ == "__main__":
    asyncio.run(main())
    elapsed = time.perf_counter() - start
    print(f"{__name__} finished in {elapsed:0.2f} seconds.")
