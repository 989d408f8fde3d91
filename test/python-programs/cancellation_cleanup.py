import asyncio


async def download(name):
    print('start', name)
    try:
        for percent in range(0, 101, 25):
            print(f'{name}: {percent}%')
            await asyncio.sleep(1)
        return name
    except asyncio.CancelledError:
        print(name, 'cancelled, removing partial file')
        await asyncio.sleep(0.2)
        raise
    finally:
        print('closed', name)


async def main():
    task = asyncio.create_task(download('big.iso'))
    await asyncio.sleep(2.5)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print('main knows that it was cancelled:', task.cancelled())

    small = asyncio.create_task(download('small.txt'))
    await asyncio.sleep(0)
    small.cancel('changed my mind')
    result = await asyncio.gather(small, return_exceptions=True)
    print(type(result[0]).__name__, result[0])


asyncio.run(main())
