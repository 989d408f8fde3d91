import asyncio
import itertools


async def spin(message):
    for char in itertools.cycle('|/-\\'):
        print(f'{char} {message}')
        try:
            await asyncio.sleep(0.25)
        except asyncio.CancelledError:
            break
    print('spinner stopped')


async def compute():
    await asyncio.sleep(1)
    return 42


async def main():
    spinner = asyncio.create_task(spin('thinking!'))
    result = await compute()
    spinner.cancel()
    await spinner
    print('Answer:', result)


asyncio.run(main())
