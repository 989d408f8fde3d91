import asyncio
import time


def blocking_io():
    time.sleep(0.1)
    return 'read'


async def main():
    print('before')
    print(await asyncio.to_thread(blocking_io))
    loop = asyncio.get_running_loop()
    print(await loop.run_in_executor(None, blocking_io))


asyncio.run(main())
