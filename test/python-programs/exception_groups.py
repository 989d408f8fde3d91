import asyncio


async def fail(kind, delay):
    await asyncio.sleep(delay)
    if kind == 'value':
        raise ValueError('bad value')
    if kind == 'key':
        raise KeyError('missing')
    if kind == 'type':
        raise TypeError('wrong type')
    return kind


async def attempt(kinds):
    try:
        async with asyncio.TaskGroup() as tg:
            for kind in kinds:
                tg.create_task(fail(kind, 0.1))
        print('all fine')
    except* ValueError as group:
        for error in group.exceptions:
            print('value error:', error)
    except* (KeyError, TypeError) as group:
        for error in group.exceptions:
            print('other:', repr(error))


async def main():
    await attempt(['ok'])
    await attempt(['value', 'ok'])
    await attempt(['value', 'key', 'type'])
    try:
        raise ExceptionGroup('two', [ValueError('a'), RuntimeError('b')])
    except ExceptionGroup as group:
        print(len(group.exceptions), [str(e) for e in group.exceptions])


asyncio.run(main())
