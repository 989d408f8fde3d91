import asyncio


class Elevator:
    def __init__(self, floors: int):
        self.floor = 0
        self.floors = floors
        self.calls: list[int] = []
        self.called = asyncio.Event()
        self.visited: list[int] = []

    def call(self, floor: int) -> None:
        if not 0 <= floor < self.floors:
            raise ValueError(f'there is no floor {floor}')
        if floor not in self.calls:
            self.calls.append(floor)
            self.called.set()

    async def run(self):
        while True:
            await self.called.wait()
            target = min(self.calls, key=lambda floor: abs(floor - self.floor))
            while self.floor != target:
                await asyncio.sleep(0.5)
                self.floor += 1 if target > self.floor else -1
            self.calls.remove(target)
            self.visited.append(target)
            print(f'ding! floor {self.floor}, still to go: {self.calls or "nothing"}')
            if not self.calls:
                self.called.clear()


async def main():
    elevator = Elevator(10)
    running = asyncio.create_task(elevator.run())
    elevator.call(5)
    elevator.call(2)
    await asyncio.sleep(0.6)
    elevator.call(9)
    try:
        elevator.call(12)
    except ValueError as problem:
        print(problem)
    await asyncio.sleep(10)
    running.cancel()
    print(elevator.visited, sum(elevator.visited))


asyncio.run(main())
