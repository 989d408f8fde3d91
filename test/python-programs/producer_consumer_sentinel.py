from asyncio import Queue, gather, run, sleep

STOP = None


async def producer(queue: Queue, count: int):
    for number in range(count):
        await sleep(0.1)
        await queue.put(number)
        print(f'put {number} (size {queue.qsize()})')
    await queue.put(STOP)


async def consumer(queue: Queue):
    total = 0
    while (item := await queue.get()) is not STOP:
        await sleep(0.25)
        total += item
        print(f'got {item}, total {total}')
    return total


async def main():
    queue = Queue(maxsize=2)
    _, total = await gather(producer(queue, 6), consumer(queue))
    print('sum:', total)


if __name__ == '__main__':
    run(main())
