# A pool of workers that share one queue.
import asyncio


async def worker(name, queue):
    done = 0
    while True:
        job = await queue.get()
        await asyncio.sleep(job * 0.1)
        print(f'{name} finished job {job}')
        queue.task_done()
        done += 1


async def main():
    queue = asyncio.Queue()
    for job in range(1, 9):
        queue.put_nowait(job)

    workers = []
    for i in range(3):
        workers.append(asyncio.create_task(worker(f'worker-{i}', queue)))

    await queue.join()
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    print('all jobs done')


asyncio.run(main())
