import asyncio
import random as unforeseen
import string


async def produce(name, queue, items, random):
    made = 0
    while items == 0 or made < items:
        await asyncio.sleep(random.uniform(1, 5))
        letter = random.choice(string.ascii_letters)
        print(f'P{name} produced {letter}')
        await queue.put((name, letter))
        made += 1


async def consume(name, queue, random):
    while True:
        producer, letter = await queue.get()
        print(f'C{name} got {letter} made by P{producer}')
        await asyncio.sleep(random.uniform(1, 5))
        queue.task_done()


async def main(producers=3, consumers=2, items=0, maxsize=0, random=unforeseen):
    queue = asyncio.Queue(maxsize)
    making = [asyncio.create_task(produce(name, queue, items, random), name=f'P{name}') for name in range(producers)]
    taking = [asyncio.create_task(consume(name, queue, random), name=f'C{name}') for name in range(consumers)]
    await asyncio.gather(*making)
    await queue.join()
    for task in taking:
        task.cancel()


if __name__ == '__main__':
    asyncio.run(main())
