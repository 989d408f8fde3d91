import asyncio


async def write(name):
    print(f'writing {name}')
    await asyncio.sleep(1)
    print(f'{name} is on disk')
    return len(name)


async def save(name):
    writing = asyncio.create_task(write(name))
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        print('save was cancelled, waiting for the write')
        await writing
        raise


async def main():
    task = asyncio.create_task(save('report.pdf'))
    await asyncio.sleep(0.3)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print('cancelled, but written')
    print('bytes:', await save('x.txt'))

asyncio.run(main())
