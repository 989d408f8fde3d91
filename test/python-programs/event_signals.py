import asyncio


async def waiter(event, name):
    print(f'{name} waiting for the light')
    await event.wait()
    print(f'{name} goes')


async def traffic_light(event):
    for colour in ['red', 'red-amber', 'green']:
        print('light is', colour)
        if colour == 'green':
            event.set()
        else:
            await asyncio.sleep(1)


async def main():
    green = asyncio.Event()
    cars = [asyncio.create_task(waiter(green, f'car {n}'), name=f'car {n}') for n in range(3)]
    await traffic_light(green)
    await asyncio.wait(cars)
    print([car.get_name() for car in cars], green.is_set())


asyncio.run(main())
