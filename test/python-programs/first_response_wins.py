import asyncio

MIRRORS = {'paris': 0.8, 'tokyo': 0.3, 'lima': 1.2}


async def ask(mirror):
    await asyncio.sleep(MIRRORS[mirror])
    if mirror == 'tokyo':
        raise ConnectionResetError('tokyo hung up')
    return mirror


async def main():
    tasks = {asyncio.create_task(ask(mirror), name=mirror) for mirror in MIRRORS}
    winner = None
    while tasks and winner is None:
        done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if task.exception() is not None:
                print('lost one:', task.exception())
            else:
                winner = task.result()
    print('winner:', winner)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print('cancelled the other', len(tasks))

asyncio.run(main())
