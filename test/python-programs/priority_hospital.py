import asyncio


async def doctor(queue):
    while not queue.empty():
        priority, arrived, patient = await queue.get()
        print(f'treating {patient} (priority {priority})')
        await asyncio.sleep(1)
        queue.task_done()


async def main():
    queue = asyncio.PriorityQueue()
    patients = [(3, 'cough'), (1, 'heart attack'), (2, 'broken leg'), (1, 'stroke'), (3, 'cold')]
    for arrived, (priority, patient) in enumerate(patients):
        await queue.put((priority, arrived, patient))
    await asyncio.gather(doctor(queue), doctor(queue))
    print('waiting room empty:', queue.empty())


if __name__ == '__main__':
    asyncio.run(main())
